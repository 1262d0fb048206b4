"""HTTP/1.1 on the client's side of one TCP connection: requests out as bytes, whole answers in.

This module knows nothing of Engine.IO, of sessions or of WebSocket frames, and reads no clock.
h11 holds the grammar and the state machine; heads and bodies are delimited here, as on the
server's side, so that their bounds do not depend on how the bytes were cut.

Rule 1. One request at a time, and an answer is handed out whole.
Rule 2. Framing that can be read in two ways is refused, never guessed.
Rule 3. Nothing is kept beyond a bound.
Rule 4. After a byte that no request has asked for the connection is not used again: the two
        sides are out of step.
Rule 5. An answer has a length. One that ends with its connection could have been cut, and
        nobody would know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import h11

from ...errors import LocalProtocolError, Reason, RemoteProtocolError
from ..chunked import ChunkedBody

MAX_HEAD: Final = 65_536
"""Bytes of an answer's head: servers behind proxies set many headers."""

MAX_INTERIM: Final = 16
"""Interim answers (1xx) to one request."""

START: Final = b"HTTP/1."
BARE: Final = re.compile(rb"[^\r]\n|\r[^\n]|\0")
CONTENT_LENGTH: Final = re.compile(rb"[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request, but for what frames its body."""

    method: str
    target: str
    """Path and query, percent-encoded."""
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    """In the order they came, names in lower case."""
    body: bytes = b""

    def header(self, name: bytes) -> str:
        """The values of a header (`name` in lower case), joined by ", "; empty without one."""
        return b", ".join(value for key, value in self.headers if key == name).decode("latin-1")


class HttpClient:
    """The client's side of HTTP/1.1 on one TCP connection.

    After each `receive_data` call `next_answer`. `max_body` is inclusive and in bytes.
    """

    __slots__ = (
        "_answer",
        "_buffer",
        "_chunked",
        "_h11",
        "_interim",
        "_length",
        "_max_body",
        "_scanned",
        "_waiting",
        "begun",
        "reusable",
        "switched",
    )

    def __init__(self, *, max_body: int) -> None:
        self._max_body = max_body
        self._h11 = h11.Connection(h11.CLIENT)
        self._buffer = bytearray()
        self._scanned = 0
        self._interim = 0
        self._waiting = False
        self._answer: Answer | None = None
        self._chunked: ChunkedBody | None = None
        self._length = 0
        self.begun: bool = False
        """Whether a byte of the answer has come."""
        self.reusable: bool = True
        """Whether another request can be sent, once this one has its answer."""
        self.switched: bool = False
        """Whether the server has switched protocols; `trailing_data` is the new one's."""

    def send(self, request: HttpRequest) -> bytes:
        """The bytes of a request.

        Raises LocalProtocolError while another waits for its answer, where the connection
        cannot be used again, and for a request that cannot be written.
        """
        if self._waiting or not self.reusable or self.switched:
            raise LocalProtocolError("the connection cannot take a request now")
        headers = [(name.encode(), value.encode("latin-1")) for name, value in request.headers]
        if request.body or request.method == "POST":
            headers.append((b"Content-Length", str(len(request.body)).encode()))
        try:
            event = h11.Request(method=request.method, target=request.target, headers=headers)
        except h11.LocalProtocolError as error:
            raise LocalProtocolError(str(error)) from error
        data = self._h11.send(event) or b""
        if request.body:
            data += self._h11.send(h11.Data(data=request.body)) or b""
        data += self._h11.send(h11.EndOfMessage()) or b""
        self._waiting, self.begun, self._interim = True, False, 0
        return data

    def receive_data(self, data: bytes) -> None:
        """Store what has arrived; where nothing was asked for it is dropped, and ends the use."""
        if self._waiting or self.switched:
            self.begun = self.begun or bool(data)
            self._buffer += data
        elif data:
            self.reusable = False

    def next_answer(self) -> Answer | None:
        """The whole answer; None while bytes of it are missing.

        Raises RemoteProtocolError for one that is malformed or too large; nothing can be
        read after it.
        """
        try:
            while self._answer is None:
                head = self._take_head()
                if head is None:
                    return None
                self._answer = self._read_head(head)
            return self._take_body(self._answer)
        except h11.RemoteProtocolError as error:
            raise broken(str(error)[:200]) from error

    def trailing_data(self) -> bytes:
        """The bytes after the answer that switched protocols, once."""
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    def _take_head(self) -> bytes | None:
        buffer = self._buffer
        if not self._waiting:
            return None
        if not START.startswith(bytes(buffer[: len(START)])):
            raise broken("no HTTP/1.1")
        end = buffer.find(b"\r\n\r\n", max(0, self._scanned - 3), MAX_HEAD)
        if end < 0:
            if len(buffer) >= MAX_HEAD:
                raise broken(f"head of more than {MAX_HEAD} bytes")
            self._scanned = len(buffer)
            return None
        head = bytes(buffer[: end + 4])
        del buffer[: end + 4]
        self._scanned = 0
        if BARE.search(head):
            raise broken("NUL, or CR and LF not as a pair")
        return head

    def _read_head(self, head: bytes) -> Answer | None:
        """The answer without its body, or None for one that is not the last."""
        self._h11.receive_data(head)
        event = self._h11.next_event()
        if isinstance(event, h11.InformationalResponse):
            self._interim += 1
            if event.status_code != 101 and self._interim <= MAX_INTERIM:
                return None
            if event.status_code != 101 or self._h11.their_state is not h11.SWITCHED_PROTOCOL:
                raise broken("interim answers without end, or a switch that was not asked for")
            self.switched = True
            return Answer(101, tuple(event.headers))
        assert isinstance(event, h11.Response)  # of a whole head h11 makes one, or raises
        answer = Answer(event.status_code, tuple(event.headers))
        # In the raw lines, because h11 makes one of several equal lengths.
        lines = head[:-4].split(b"\r\n")[1:]
        lengths = [line[15:].strip(b" \t") for line in lines if is_length(line)]
        chunked = bool(answer.header(b"transfer-encoding"))
        if len(lengths) + chunked > 1 or not all(map(CONTENT_LENGTH.fullmatch, lengths)):
            raise broken("ambiguous length of the answer")
        if answer.status in (204, 304):
            chunked, lengths = False, [b"0"]
        if not lengths and not chunked:
            # An error is worth telling, even with its text lost.
            if answer.status < 300:
                raise broken("an answer without a length")
            self.reusable = False
            lengths = [b"0"]
        self._length = int(lengths[0]) if lengths else 0
        if self._length > self._max_body:
            raise broken(f"answer of more than {self._max_body} bytes")
        self._chunked = ChunkedBody(self._max_body, MAX_HEAD) if chunked else None
        return answer

    def _take_body(self, answer: Answer) -> Answer | None:
        if self.switched:
            body = b""
        elif self._chunked is not None:
            try:
                whole = self._chunked.take(self._buffer)
            except RemoteProtocolError as error:
                raise broken(str(error)) from error
            if whole is None:
                return None
            body = whole
            self._finish(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n")
        elif len(self._buffer) >= self._length:
            body = bytes(self._buffer[: self._length])
            del self._buffer[: self._length]
            self._finish(body)
        else:
            return None
        self._waiting, self._answer, self._chunked = False, None, None
        if self._buffer and not self.switched:
            self.reusable = False  # Rule 4; this answer is whole all the same
            self._buffer.clear()
        return Answer(answer.status, answer.headers, body)

    def _finish(self, framed: bytes) -> None:
        """Give h11 the body in one piece, and see whether the connection can go on."""
        if not self.reusable:
            return
        if framed:
            self._h11.receive_data(framed)
        while not isinstance(self._h11.next_event(), h11.EndOfMessage):
            pass
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
        else:
            self.reusable = False


def is_length(line: bytes) -> bool:
    """Whether this line of a head is a Content-Length."""
    return line[:15].lower() == b"content-length:"


def broken(message: str) -> RemoteProtocolError:
    """The error for an answer that is no HTTP."""
    return RemoteProtocolError(message, reason=Reason.TRANSPORT_ERROR)

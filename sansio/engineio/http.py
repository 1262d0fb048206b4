"""HTTP/1.1 around one TCP connection: bytes in, whole requests out; whole answers in, bytes out.

This module knows nothing of Engine.IO, of sessions or of WebSocket frames, and reads no
clock. h11 holds the grammar and the state machine; as it is lenient where a proxy in
front may not be, heads and bodies are delimited here, strictly, before h11 sees them.

Rule 1. A request is handed out whole, and the next one only after its answer.
Rule 2. Framing that can be read in two ways is refused, never guessed (security rule T30).
Rule 3. Nothing is kept beyond a bound (security rules 3, T4 and 9).
Rule 4. After a refusal no byte is read as a request: the connection closes.
Rule 5. An answer has a Content-Length and is never chunked, so HTTP/1.0 can read it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

import h11

from ..errors import LocalProtocolError, RemoteProtocolError
from ..request import Request as Request
from .chunked import ChunkedBody

MAX_PIPELINED: Final = 65_536  # bytes kept while a request waits for its answer
MAX_QUERY_FIELDS: Final = 128
FRAMING: Final = re.compile("content-length|transfer-encoding", re.IGNORECASE)
OURS: Final = re.compile(
    f"{FRAMING.pattern}|content-encoding|connection|upgrade|sec-websocket-.*", re.IGNORECASE
)
PHRASES: Final = {status.value: status.phrase.encode() for status in HTTPStatus}

# Possessive repeats never go back: what is scanned is scanned once (security rule 15).
PART_OF_LINE: Final = re.compile(rb"[^\r\n\0]++")
CONTENT_LENGTH: Final = re.compile(rb"[ \t]*+[0-9]{1,19}[ \t]*+")
HOST: Final = re.compile(r"(?:\[[-0-9A-Za-z:.%_~]++\]|[-0-9A-Za-z._~!$&'()*+,;=%]*+)(?::[0-9]*+)?")
TARGET: Final = re.compile(r"(?:(?i:https?)://([^/?#]++)|(?=[/*]))(/[^?]*+|\*)?+(?:\?(.*+))?+")


class Phase(Enum):
    """Where a connection stands; each phase has a deadline of its own (security rule 10)."""

    IDLE = "nothing of a request has come"
    HEAD = "a head is incomplete"
    BODY = "a body is incomplete"
    ANSWERING = "a whole request was handed out and waits for its answer"
    CLOSING = "no further request will be read"
    SWITCHED = "the connection was handed over to WebSocket"
    STRAYED = "a head was read whose request is not for us"


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer but for its framing; to HEAD the one to GET, of which the head is sent."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class HttpConnection:
    """The server's side of HTTP/1.1 on one TCP connection.

    After each `receive_data` and each `respond` call `next_request` until it returns
    None, and send what `data_to_send` holds. A RemoteProtocolError is answered by `refuse`.

    The bounds are inclusive and in bytes (security rules T4 and 9): `max_body` of a body;
    `max_head` of a head with its empty line, and as much of the chunk extensions and
    trailers of one body; `max_line` of a line of the head without its end.

    `strays` is asked about every head: one for which it returns True is STRAYED, until
    somebody else has taken its bytes (`stray`), or `keep` has it served here.
    """

    def __init__(
        self,
        *,
        max_body: int,
        max_head: int = 16384,
        max_line: int = 8192,
        max_headers: int = 128,
        strays: Callable[[Request], bool] | None = None,
    ) -> None:
        self._max_body, self._max_head = max_body, max_head
        self._max_line, self._max_headers = max_line, max_headers
        self._strays = strays
        self._stray = b""
        self._h11 = h11.Connection(h11.SERVER)
        self._phase = Phase.IDLE
        self._buffer = bytearray()
        self._interim: list[bytes] = []
        self._lines = re.compile(rb"(?:[^\r\n\0]{1,%d}+\r\n)++" % max_line)
        self._scanned = 0  # so far a head that is arriving consists of whole lines
        self._request: Request | None = None
        self._is_head = False
        self._length = 0
        self._chunked: ChunkedBody | None = None

    @property
    def phase(self) -> Phase:
        """From which the caller chooses a deadline."""
        return Phase.HEAD if self._phase is Phase.IDLE and self._buffer else self._phase

    @property
    def head(self) -> Request | None:
        """The request whose body is still to come, without it, or the one that was refused."""
        return self._request if self._phase in (Phase.BODY, Phase.CLOSING) else None

    @property
    def closing(self) -> bool:
        """Whether to close after the bytes produced so far; what still comes is dropped."""
        return self._phase is Phase.CLOSING

    def receive_data(self, data: bytes) -> None:
        """Store what has arrived; b"" is nothing, not the end of the stream.

        Raises RemoteProtocolError for more than MAX_PIPELINED while a request is answered (to
        stop reading would hide that a polling client has gone) or STRAYED, LocalProtocolError
        once SWITCHED.
        """
        if self._phase is Phase.SWITCHED:
            raise LocalProtocolError("the connection speaks WebSocket now")
        if self._phase is Phase.CLOSING:
            return
        waits = self._phase is Phase.ANSWERING or self._phase is Phase.STRAYED
        if waits and len(self._buffer) + len(data) > MAX_PIPELINED:
            self._close()
            raise RemoteProtocolError("too much sent before the answer")
        self._buffer += data

    def next_request(self) -> Request | None:
        """The next whole request; None while bytes are missing or an answer is due.

        Raises RemoteProtocolError for one that is malformed (400), too large (413, 414, 431)
        or not for this server (501, 505); then we are closing (security rules T4, 9, T30).
        """
        try:
            if self._phase is Phase.IDLE and (head := self._take_head()) is not None:
                self._read_head(head)
                if self._strays is not None and self._request and self._strays(self._request):
                    self._phase, self._stray = Phase.STRAYED, head
            if self._phase is Phase.BODY and self._request is not None:
                return self._take_body(self._request)
        except (RemoteProtocolError, h11.RemoteProtocolError) as error:
            self._close()
            if isinstance(error, RemoteProtocolError):
                raise
            raise RemoteProtocolError(str(error)[:200], status=error.error_status_hint) from error
        return None

    @property
    def stray(self) -> bytes:
        """All that has come from the beginning of the request that STRAYED, or b""."""
        return self._stray + self._buffer if self._phase is Phase.STRAYED else b""

    def keep(self) -> None:
        """Serve the request that STRAYED; raises LocalProtocolError where none has."""
        if self._phase is not Phase.STRAYED:
            raise LocalProtocolError("no request has strayed")
        self._phase, self._stray = Phase.BODY, b""

    def data_to_send(self) -> list[bytes]:
        """The "100 Continue" that a client awaits before its body, until the answer; drained."""
        if self._phase is Phase.STRAYED:
            return []
        data, self._interim = self._interim, []
        return data

    def respond(self, response: Response) -> bytes:
        """The whole answer to the request that waits for it.

        Raises LocalProtocolError, with nothing changed, when none waits or when this is
        no answer: a status below 200, framing of its own, a line break in a header.
        """
        if self._phase is not Phase.ANSWERING:
            raise LocalProtocolError("no request waits for an answer")
        data = self._send(response)
        if self._h11.our_state is h11.DONE:
            self._h11.start_next_cycle()
            self._phase, self._request, self._is_head = Phase.IDLE, None, False
        else:
            self._close()
        return data

    def refuse(self, response: Response) -> bytes:
        """The answer to what was refused, with `Connection: close`; then we are closing.

        b"" where none is possible: nothing of a request has come, or it has its answer, or
        the connection speaks WebSocket. Raises as `respond` does.
        """
        data = b""
        if self.phase is Phase.IDLE:
            self._h11.send(h11.ConnectionClosed())
        elif self._h11.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            kept = (pair for pair in response.headers if pair[0].lower() != "connection")
            data = self._send(replace(response, headers=(*kept, ("Connection", "close"))))
        self._close()
        return data

    def switch_protocols(self, headers: tuple[tuple[str, str], ...]) -> bytes:
        """The answer 101, with just these headers, to a request whose `upgrade` is true.

        Raises LocalProtocolError, with nothing changed, when no such request waits.
        """
        if self._phase is not Phase.ANSWERING or not (self._request and self._request.upgrade):
            raise LocalProtocolError("no upgrade waits for an answer")
        data = self._send_head(101, headers)
        self._phase, self._request = Phase.SWITCHED, None
        return data

    def trailing_data(self) -> bytes:
        """The bytes after the upgrade request, once; LocalProtocolError before its answer."""
        if self._phase is not Phase.SWITCHED:
            raise LocalProtocolError("the connection still speaks HTTP")
        data, self._buffer = bytes(self._buffer), bytearray()
        return data

    def _close(self) -> None:
        self._phase, self._chunked = Phase.CLOSING, None
        self._stray = b""
        self._buffer.clear()
        self._interim.clear()

    def _take_head(self) -> bytes | None:
        """Take a whole head off the buffer; errors do not depend on where it was cut."""
        buffer = self._buffer
        # "SHOULD ignore at least one empty line" before a request (RFC 9112, section 2.2)
        while not self._scanned and buffer.startswith(b"\r\n"):
            del buffer[:2]
        lines = self._lines.match(buffer, self._scanned, self._max_head)
        start = self._scanned = lines.end() if lines else self._scanned
        end = start + 2
        if end <= self._max_head and buffer.startswith(b"\r\n", start):
            head = bytes(buffer[:end])
            del buffer[:end]
            self._scanned = 0
            return head
        part = PART_OF_LINE.match(buffer, start, self._max_head)
        stop = part.end() if part else start
        if stop - start > self._max_line:
            raise RemoteProtocolError("line too long", status=431 if start else 414)
        if bytes(buffer[stop : min(stop + 2, self._max_head)]) not in (b"", b"\r"):
            raise RemoteProtocolError("NUL, or CR and LF not as a pair")
        if len(buffer) >= self._max_head:
            raise RemoteProtocolError("head too long", status=431)
        return None

    def _read_head(self, head: bytes) -> None:
        """Refuse what is wrong in a whole head before any of its body is read."""
        lines = head[:-4].split(b"\r\n")[1:]
        if len(lines) > self._max_headers:
            raise RemoteProtocolError("too many headers", status=431)
        if any(line[0] in b" \t" for line in lines):
            raise RemoteProtocolError("folded header")
        self._h11.receive_data(head)
        event = self._h11.next_event()
        assert isinstance(event, h11.Request)  # of a whole head h11 makes one, or raises
        self._is_head = event.method == b"HEAD"
        if event.http_version not in (b"1.0", b"1.1"):
            raise RemoteProtocolError("neither HTTP/1.0 nor HTTP/1.1", status=505)
        if event.method == b"CONNECT":
            raise RemoteProtocolError("not a proxy", status=501)
        # In the raw lines, because h11 makes one of several equal lengths.
        lengths = [line[15:] for line in lines if line[:15].lower() == b"content-length:"]
        chunked = any(name == b"transfer-encoding" for name, _ in event.headers)
        if len(lengths) + chunked > 1 or (chunked and event.http_version == b"1.0"):
            raise RemoteProtocolError("ambiguous length of the body")
        if not all(map(CONTENT_LENGTH.fullmatch, lengths)):
            raise RemoteProtocolError("malformed Content-Length")
        self._length = int(lengths[0]) if lengths else 0
        self._request = request = read_request(event)
        if self._length > self._max_body:
            raise RemoteProtocolError("body too large", status=413)
        if request.upgrade and (chunked or self._length):
            raise RemoteProtocolError("upgrade with a body")
        self._chunked = ChunkedBody(self._max_body, self._max_head) if chunked else None
        awaited = (chunked or self._length) and not self._buffer
        if awaited and self._h11.they_are_waiting_for_100_continue:
            self._interim = [self._send_head(100, ())]
        self._phase = Phase.BODY

    def _take_body(self, head: Request) -> Request | None:
        """Take a whole body off the buffer, to h11 in one piece; its request is complete."""
        if self._chunked is not None:
            body = self._chunked.take(self._buffer)
            if body is None:
                return None
            framed = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
        elif len(self._buffer) >= self._length:
            framed = body = bytes(self._buffer[: self._length])
            del self._buffer[: self._length]
        else:
            return None
        if framed:
            self._h11.receive_data(framed)
        if body:
            self._h11.next_event()  # Data
        self._h11.next_event()  # EndOfMessage
        self._phase, self._chunked = Phase.ANSWERING, None
        self._request = replace(head, body=body) if body else head
        return self._request

    def _send(self, response: Response) -> bytes:
        status, headers, body = response.status, response.headers, response.body
        if status < 200 or any(FRAMING.fullmatch(name) for name, _ in headers):
            raise LocalProtocolError("not a whole answer, or with a framing of its own")
        # RFC 9110, section 8.6: never with 204; with 304 only what a 200 would have had.
        if status != 204 and (body or status != 304):
            headers = (*headers, ("Content-Length", str(len(body))))
        data = self._send_head(status, headers)
        self._interim.clear()
        if body and not self._is_head and status not in (204, 304):
            data += self._h11.send(h11.Data(data=body))
        return data + self._h11.send(h11.EndOfMessage())

    def _send_head(self, status: int, headers: tuple[tuple[str, str], ...]) -> bytes:
        """Latin-1, as `Request.header` decodes; a bad header shows before anything changes."""
        kind = h11.Response if status >= 200 else h11.InformationalResponse
        try:
            encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
            event = kind(status_code=status, headers=encoded, reason=PHRASES.get(status, b""))
        except (h11.LocalProtocolError, UnicodeEncodeError) as error:
            raise LocalProtocolError(str(error)) from error
        return self._h11.send(event)


def check_headers(headers: Sequence[tuple[str, str]]) -> None:
    """Raise LocalProtocolError for headers that an application may not add to an answer.

    Those are the malformed ones, and those that say how the answer is framed.
    """
    try:
        for name, _ in headers:
            if OURS.fullmatch(name):
                raise LocalProtocolError(f"{name} is not the application's to say")
        encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
        h11.Response(status_code=200, headers=encoded)
    except (h11.LocalProtocolError, ValueError, TypeError, AttributeError) as error:
        raise LocalProtocolError(f"headers that cannot be sent: {error}") from error


def read_request(event: h11.Request) -> Request:
    """The request without its body, after a look at its Host and its target.

    Origin, absolute and asterisk form are taken (RFC 9112, section 3.2).
    """
    headers = tuple(event.headers)
    if event.http_version == b"1.0":
        # "MUST ignore the Upgrade header field" there (RFC 9110, section 7.8)
        headers = tuple(pair for pair in headers if pair[0] != b"upgrade")
    host = b"".join(value for name, value in headers if name == b"host").decode("latin-1")
    target = TARGET.fullmatch(event.target.decode())
    if target is None or not HOST.fullmatch(host):
        raise RemoteProtocolError("malformed target or Host")
    authority, path, fields = target.groups("")
    if host and authority and host.lower() != authority.lower():
        raise RemoteProtocolError("Host is not that of the target")
    if fields.count("&") >= MAX_QUERY_FIELDS:
        raise RemoteProtocolError("too many query fields")
    query = dict(reversed(parse_qsl(fields, keep_blank_values=True, errors="replace")))
    return Request(event.method.decode(), path or "/", query, headers)

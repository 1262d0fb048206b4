"""HTTP/1.1 around one TCP connection: bytes in, whole requests out; whole answers in, bytes out.

This module knows nothing of Engine.IO, of sessions or of WebSocket frames, and reads no
clock. Heads and bodies are delimited here, strictly; what a head says is read in
`http_heads.py`, by h11 where it is not of the plainest kind.

Rule 1. A request is handed out whole, and the next one only after its answer.
Rule 2. Framing that can be read in two ways is refused, never guessed (security rule T30).
Rule 3. Nothing is kept beyond a bound (security rules 3, T4 and 9).
Rule 4. After a refusal no byte is read as a request: the connection closes.
Rule 5. An answer has a Content-Length and is never chunked, so HTTP/1.0 can read it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from functools import cache
from typing import Final

from ..errors import LocalProtocolError, RemoteProtocolError
from ..request import Request as Request
from .chunked import ChunkedBody
from .http_answers import Response as Response
from .http_answers import encode_answer, encode_head, says_close, without_connection
from .http_heads import read_head

MAX_PIPELINED: Final = 65_536  # bytes kept while a request waits for its answer
MAX_LINE: Final = 8192
CONTINUE: Final = encode_head(100, ())

# Possessive repeats never go back: what is scanned is scanned once (security rule 15).
PART_OF_LINE: Final = re.compile(rb"[^\r\n\0]++")


@cache
def whole_lines(max_line: int) -> re.Pattern[bytes]:
    """Lines of so many bytes at most, from the first on; the same for all connections."""
    return re.compile(rb"(?:[^\r\n\0]{1,%d}+\r\n)++" % max_line)


class Phase(Enum):
    """Where a connection stands; each phase has a deadline of its own (security rule 10)."""

    IDLE = "nothing of a request has come"
    HEAD = "a head is incomplete"
    BODY = "a body is incomplete"
    ANSWERING = "a whole request was handed out and waits for its answer"
    CLOSING = "no further request will be read"
    SWITCHED = "the connection was handed over to WebSocket"
    STRAYED = "a head was read whose request is not for us"


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

    __slots__ = (
        "_answered",
        "_buffer",
        "_chunked",
        "_interim",
        "_is_head",
        "_keeps_alive",
        "_length",
        "_lines",
        "_max_body",
        "_max_head",
        "_max_headers",
        "_max_line",
        "_phase",
        "_request",
        "_scanned",
        "_stray",
        "_strays",
    )

    def __init__(
        self,
        *,
        max_body: int,
        max_head: int = 16384,
        max_line: int = MAX_LINE,
        max_headers: int = 128,
        strays: Callable[[Request], bool] | None = None,
    ) -> None:
        self._max_body, self._max_head = max_body, max_head
        self._max_line, self._max_headers = max_line, max_headers
        self._strays = strays
        self._stray = b""
        self._phase = Phase.IDLE
        self._buffer = bytearray()
        self._interim: list[bytes] = []
        self._lines = whole_lines(max_line)
        self._scanned = 0  # so far a head that is arriving consists of whole lines
        self._request: Request | None = None
        self._is_head = False
        self._keeps_alive = True
        self._answered = False
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
        except RemoteProtocolError:
            self._close()
            raise
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
        last = not self._keeps_alive or says_close(response.headers)
        data = encode_answer(response, head_only=self._is_head, close=last)
        self._interim.clear()
        if last:
            self._answered = True
            self._close()
        else:
            self._phase, self._request, self._is_head = Phase.IDLE, None, False
        return data

    def refuse(self, response: Response) -> bytes:
        """The answer to what was refused, with `Connection: close`; then we are closing.

        b"" where none is possible: nothing of a request has come, or it has its answer, or
        the connection speaks WebSocket. Raises as `respond` does.
        """
        data = b""
        if not self._answered and self.phase is not Phase.IDLE:
            headers = (*without_connection(response.headers), ("Connection", "close"))
            response = replace(response, headers=headers)
            data = encode_answer(response, head_only=self._is_head, close=False)
        self._answered = True
        self._close()
        return data

    def switch_protocols(self, headers: tuple[tuple[str, str], ...]) -> bytes:
        """The answer 101, with just these headers, to a request whose `upgrade` is true.

        Raises LocalProtocolError, with nothing changed, when no such request waits.
        """
        if self._phase is not Phase.ANSWERING or not (self._request and self._request.upgrade):
            raise LocalProtocolError("no upgrade waits for an answer")
        data = encode_head(101, headers)
        self._phase, self._request, self._answered = Phase.SWITCHED, None, True
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

    def _read_head(self, data: bytes) -> None:
        """Refuse what is wrong in a whole head before any of its body is read."""
        self._is_head = data.startswith(b"HEAD ")
        head = read_head(data, self._max_headers)
        self._request, self._length = head.request, head.length
        self._keeps_alive = head.keeps_alive
        has_body = head.chunked or head.length > 0
        if has_body:
            if head.length > self._max_body:
                raise RemoteProtocolError("body too large", status=413)
            if head.request.upgrade:
                raise RemoteProtocolError("upgrade with a body")
        self._chunked = ChunkedBody(self._max_body, self._max_head) if head.chunked else None
        if has_body and not self._buffer and head.awaits_continue:
            self._interim = [CONTINUE]
        self._phase = Phase.BODY

    def _take_body(self, head: Request) -> Request | None:
        """Take a whole body off the buffer; its request is complete."""
        body: bytes | None = b""
        if self._chunked is not None:
            body = self._chunked.take(self._buffer)
            if body is None:
                return None
        elif self._length:
            if len(self._buffer) < self._length:
                return None
            body = bytes(self._buffer[: self._length])
            del self._buffer[: self._length]
        self._phase, self._chunked = Phase.ANSWERING, None
        self._request = head.with_body(body) if body else head
        return self._request

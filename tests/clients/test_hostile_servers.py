"""Servers that break the protocol: a typed error or a reason, and never one from inside.

What a decoder does with wrong bytes is its own tests' matter, and the fuzzers': these are
programs on every loop, on real connections, that meet one wrong thing each.
"""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable
from typing import Any, Final

import pytest
from clients.loops import Loop, Noted, on_every_loop
from support.hostile_server import HostileServer, Said, answer, endless

from sansocket.sansio.errors import RemoteProtocolError, TransportError

HANDSHAKE: Final[dict[str, Any]] = {
    "sid": "abc",
    "upgrades": [],
    "pingInterval": 25000,
    "pingTimeout": 20000,
    "maxPayload": 1000000,
}
CHUNKED: Final = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SWITCH: Final = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
ACCEPTED: Final = SWITCH + b"Sec-WebSocket-Accept: ACCEPT\r\n"
LONG: Final = b"x" * 100_000


def opening(**changes: Any) -> str:
    """The packet that opens a session."""
    return "0" + json.dumps(HANDSHAKE | changes)


def frame(payload: bytes, first: int = 0x81) -> bytes:
    """A short frame of a WebSocket."""
    return bytes([first, len(payload)]) + payload


# In place of a handshake by polling.
NO_SESSION: Final[dict[str, Callable[[], Said]]] = {
    "another protocol": lambda: b"SSH-2.0-OpenSSH_9.6\r\n" + LONG,
    "no text": lambda: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(1000),
    "status 500": lambda: answer("oh", status="500 Internal Server Error"),
    "a redirect": lambda: answer("", "Location: http://127.0.0.1:9/", status="302 Found"),
    "no content": lambda: b"HTTP/1.1 204 No Content\r\n\r\n",
    "a switch": lambda: ACCEPTED + b"\r\n",
    "no length": lambda: b"HTTP/1.1 200 OK\r\n\r\n" + opening().encode(),
    "two lengths": lambda: answer(opening(), "Content-Length: 3"),
    "a length that is none": lambda: b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "a length without end": lambda: b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
    "a chunk that is none": lambda: CHUNKED + b"xyz\r\n",
    "chunks without end": lambda: endless(CHUNKED, b"40000\r\n" + b"x" * 0x40000 + b"\r\n"),
    "a head without end": lambda: endless(b"HTTP/1.1 200 OK\r\n", b"X-A: " + LONG + b"\r\n"),
    "a head byte by byte": lambda: endless(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "a body byte by byte": lambda: endless(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n0", b"x"),
    "interim answers": lambda: endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50),
    "compressed garbage": lambda: answer(b"\x1f\x8b" + LONG[:90], "Content-Encoding: gzip"),
    "compressed": lambda: answer(gzip.compress(opening().encode()), "Content-Encoding: gzip"),
    "no UTF-8": lambda: answer(b"0\xff\xfe{}"),
    "nothing": lambda: "",
    "a page": lambda: "<!DOCTYPE html><title>Welcome</title>",
    "another packet": lambda: "6",
    "JSON that is cut": lambda: '0{"sid":"abc"',
    "an array": lambda: "0[]",
    "an empty object": lambda: "0{}",
    "deep JSON": lambda: "0" + "[" * 100_000,
    "a sid that is a number": lambda: opening(sid=5),
    "no sid": lambda: opening(sid=None),
    "an empty sid": lambda: opening(sid=""),
    "a long sid": lambda: opening(sid="x" * 100_000),
    "upgrades that are a word": lambda: opening(upgrades="websocket"),
    "an interval that is a word": lambda: opening(pingInterval="25000"),
    "an interval of nothing": lambda: opening(pingInterval=0),
    "an interval before it began": lambda: opening(pingInterval=-1),
    "an interval for ever": lambda: opening(pingInterval=1e300),
    "an interval of truth": lambda: opening(pingInterval=True),
    "no timeout": lambda: opening(pingTimeout=None),
    "a timeout before it began": lambda: opening(pingTimeout=-5),
    "a payload of nothing": lambda: opening(maxPayload=0),
    "a payload that is a word": lambda: opening(maxPayload="much"),
}

# In place of a handshake by WebSocket.
NO_WEBSOCKET: Final[dict[str, Callable[[], Said]]] = {
    "another protocol": lambda: b"SSH-2.0-OpenSSH_9.6\r\n",
    "no switch": lambda: answer(opening()),
    "refused": lambda: answer("{}", status="400 Bad Request"),
    "the key of another": lambda: SWITCH + b"Sec-WebSocket-Accept: c2FtZQ==\r\n\r\n",
    "no key": lambda: SWITCH + b"\r\n",
    "an extension": lambda: ACCEPTED + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
    "a subprotocol": lambda: ACCEPTED + b"Sec-WebSocket-Protocol: chat\r\n\r\n",
    "a head without end": lambda: endless(SWITCH, b"X-A: " + LONG + b"\r\n"),
    "a head byte by byte": lambda: endless(SWITCH, b"x"),
    "a mask": lambda: ACCEPTED + b"\r\n\x81\x81\x00\x00\x00\x00x",
    "a reserved bit": lambda: ACCEPTED + b"\r\n" + frame(b"\x01\x02", 0xC1),
    "an opcode of nobody": lambda: ACCEPTED + b"\r\n" + frame(b"x", 0x83),
    "a ping in pieces": lambda: ACCEPTED + b"\r\n" + frame(b"x", 0x09),
    "no UTF-8": lambda: ACCEPTED + b"\r\n" + frame(b"0\xff"),
    "a frame without end": lambda: ACCEPTED + b"\r\n\x81\x7f\x7f" + b"\xff" * 7,
    "pieces without end": lambda: endless(ACCEPTED + b"\r\n\x01\x00", b"\x00\x01x" * 1000),
    "pings without end": lambda: endless(ACCEPTED + b"\r\n", b"\x89\x00" * 1000),
    "half a close code": lambda: ACCEPTED + b"\r\n" + frame(b"\x03", 0x88),
    "another packet": lambda: ACCEPTED + b"\r\n" + frame(b"6"),
    "bytes": lambda: ACCEPTED + b"\r\n" + frame(b"0{}", 0x82),
    "JSON that is cut": lambda: ACCEPTED + b"\r\n" + frame(b'0{"sid":'),
}

SLOW: Final = (
    "a head byte by byte",
    "a body byte by byte",
    "chunks without end",
)

# In place of an answer to CONNECT.
NO_ANSWER: Final = {
    "garbage": "4x",
    "no object": "40[]",
    "a sid that is a number": '40{"sid":5}',
    "JSON that is cut": '40{"sid":"x"',
    "a namespace that is none": '40/a,{"sid":"x"}',
    "an error that is none": "44[",
    "a packet of another time": "b",
    "an attachment of nothing": "bAAAA",
    "an attachment that is no base64": "b!!",
    "an unknown type": "47",
    "an event that is cut": '42["x"',
}

# Where an event may come.
NO_EVENT: Final = {
    "no packet": "",
    "no type": "4",
    "an unknown type": "48",
    "an object": '42{"a":1}',
    "no name": "42[]",
    "a name of our own": '42["connect"]',
    "JSON that is cut": '42["x",',
    "deep JSON": '42["x",' + "[" * 100_000,
    "a long number": "43" + "9" * 400 + "[]",
    "attachments without end": '4599999999-["x",{"_placeholder":true,"num":0}]',
    "an attachment that is not there": '451-["x",{"_placeholder":true,"num":7}]',
    "an attachment that nobody waits for": "bAAAA",
    "text for an attachment": '451-["x",{"_placeholder":true,"num":0}]\x1e42["y"]',
    "another session": opening(),
    "a pong": "3",
}


@pytest.fixture(autouse=True)
def nothing_from_inside(caplog: pytest.LogCaptureFixture) -> Any:
    """No traceback is written anywhere: what is wrong is told to the program alone."""
    with caplog.at_level(logging.WARNING):
        yield
    assert caplog.records == []


async def is_turned_away(loop: Loop, server: HostileServer, transport: str, case: str) -> None:
    """Connect in vain: the error says what was expected and what came."""
    seconds = 0.5 if case in SLOW else 20.0
    options = {"transports": (transport,), "timeout": seconds, "close_timeout": 0.2}
    with pytest.raises((TransportError, RemoteProtocolError)) as caught:
        async with loop.connect(server.url, **options):
            raise AssertionError("it let us in")
    error = caught.value
    assert error.description if isinstance(error, TransportError) else str(error)
    # What has no end is ended by the timeout, or by a bound; what makes no sense, at once.
    assert case in SLOW or "no connection within" not in str(error)


@pytest.mark.parametrize("case", NO_SESSION)
@on_every_loop
async def test_instead_of_a_session(loop: Loop, case: str) -> None:
    with HostileServer([NO_SESSION[case]()]) as server:
        await is_turned_away(loop, server, "polling", case)


@pytest.mark.parametrize("case", NO_WEBSOCKET)
@on_every_loop
async def test_instead_of_a_websocket(loop: Loop, case: str) -> None:
    with HostileServer([NO_WEBSOCKET[case]()]) as server:
        await is_turned_away(loop, server, "websocket", case)


@pytest.mark.parametrize("case", NO_ANSWER)
@on_every_loop
async def test_instead_of_an_answer_to_connect(loop: Loop, case: str) -> None:
    """It is a `connect_error`, and so the exception of who connects."""
    with HostileServer([opening(), NO_ANSWER[case]]) as server:
        with pytest.raises(RemoteProtocolError) as caught:
            async with loop.connect(server.url, transports=("polling",), close_timeout=0.2):
                raise AssertionError("it let us in")
        assert str(caught.value)


@pytest.mark.parametrize("case", NO_EVENT)
@on_every_loop
async def test_instead_of_an_event(loop: Loop, case: str) -> None:
    """It is a `disconnect` with "parse error", and the connection is tried again."""
    with HostileServer([opening(), '40{"sid":"x"}', NO_EVENT[case]]) as server:
        client = loop.client(server.url, transports=("polling",), close_timeout=0.2)
        noted = Noted(client.runtime)
        # Listening before it connects: all this may have come when a block of `connect` begins.
        socket = client.socket()
        socket.on("connect", noted.named("connect"))
        socket.on("disconnect", noted.named("disconnect"))
        async with client:
            socket.connect()
            connected, (name, reason, error) = await noted.count(2)
            assert connected == "connect"
            assert (name, reason) == ("disconnect", "parse error")
            assert isinstance(error, RemoteProtocolError)
            assert str(error)
            assert socket.active

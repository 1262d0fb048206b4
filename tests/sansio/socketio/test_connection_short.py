"""The short way of an event that came in one short frame: the same as the long one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.engineio import masked
from support.runtime import Gate
from support.socketio_client import SocketIOClient
from support.transcript import socketio

from sansocket.sansio.socketio.connection import Connection
from sansocket.sansio.socketio.packet import CONNECT, Packet
from sansocket.sansio.socketio.parsers import chosen_parser
from sansocket.sansio.socketio.socket import Socket

texts = st.sampled_from(
    [
        *('42["said",1]', '42["said","\N{SNOWMAN}"]', '42["owe"]', '42["leave"]', '42["raise"]'),
        *('427["said"]', "430[]", "431[1]", "40", "41", "40/b,", '42/b,["said"]', '42["connect"]'),
        *('451-["said",{"_placeholder":true,"num":0}]', "42[]", '42["\\ud800"]', "2", "3", "1"),
        *("42[", '42["said"', "42[1]", '4299999999999999999["said"]', "44{}", "42" + "x" * 130),
    ]
)
frames = st.one_of(
    texts.map(lambda text: masked(0x81, text.encode())),
    st.sampled_from([masked(0x82, b"bytes"), masked(0x81, b'42["\xff"]')]),
)

pieces = st.lists(frames, min_size=1, max_size=2).map(b"".join)


def transcript(
    chunks: Sequence[bytes], bound: int, *, short: bool, guarded: bool = False
) -> list[object]:
    """What a client gets for these bytes, and what its handlers have seen."""
    app, driver = socketio(max_inbound=bound, max_surplus=3)
    seen: list[object] = []
    app.on_error(lambda error, *about: seen.append((type(error), *about[1:])))
    app.of("/b")

    async def guard(socket: Socket, auth: object) -> None:
        await Gate().wait()

    if guarded:
        app.use(guard)

    @app.on("said")
    def said(socket: Socket, *args: object) -> object:
        seen.append(args)
        return args

    @app.on("owe")
    def owe(socket: Socket) -> None:
        socket.emit("asked", ack=lambda *values: seen.append(values))

    @app.on("leave")
    def leave(socket: Socket) -> None:
        socket.disconnect()

    @app.on("raise")
    def fail(socket: Socket) -> None:
        raise ZeroDivisionError

    app.on("disconnect", lambda socket, reason: seen.append(reason))
    with nullcontext() if short else patch.object(Connection, "short_message", refuse):
        client = SocketIOClient(driver)
        for chunk in chunks:
            client.pipe.send(chunk)
        driver.settle()
        waiting = [
            (session.inbound, session.inbound_bytes) for session in app.engine.sessions.values()
        ]
        return [client.take(), client.over, seen, waiting]


def refuse(connection: Connection, text: bytes) -> bool:
    """Take the long way."""
    return False


def of(*texts: str) -> list[bytes]:
    """Frames."""
    return [masked(0x81, text.encode()) for text in texts]


@given(
    st.lists(st.lists(frames, min_size=1, max_size=2).map(b"".join), max_size=7), st.integers(1, 4)
)
@example(of("40", '42["owe"]', '42["said"]', "430[1]"), 4)
@example(of("40", '451-["said",{"_placeholder":true,"num":0}]', '42["said"]'), 4)
@example(of("40", '42["leave"]', '42["said"]'), 4)
def test_the_short_way_is_the_long_way(chunks: list[bytes], bound: int) -> None:
    """Before the namespace is joined and after, with attachments on their way, while an
    acknowledgement is owed (rules 48, 57 and 98)."""
    joined = [*of("40"), *chunks]
    for sent in (chunks, joined):
        assert transcript(sent, bound, short=True) == transcript(sent, bound, short=False)


def test_before_it_is_let_in() -> None:
    """Rule 57: an event that comes before the answer to CONNECT ends the connection."""
    sent = of("40", '42["said"]')
    short = transcript(sent, 4, short=True, guarded=True)
    assert short == transcript(sent, 4, short=False, guarded=True)
    assert short[1] is True


@pytest.mark.parametrize("parser", ["json", "msgpack"])
def test_when_it_is_taken(parser: str) -> None:
    """By the default wire format alone: another may read the same bytes otherwise."""
    app, driver = socketio(parser=parser)
    client = SocketIOClient(driver)
    [session] = app.engine.sessions.values()
    client.send(*chosen_parser(parser).encode(Packet(CONNECT)))
    assert len(app.sockets) == 1
    assert session.receiver.short_message(b'42["said"]') == (parser == "json")

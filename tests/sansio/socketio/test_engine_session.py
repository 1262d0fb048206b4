"""`socket.conn`: the Engine.IO session below a socket, without its secret (feature 99)."""

from __future__ import annotations

from typing import Any

import pytest
from support.socketio_client import SocketIOClient, connected, join
from support.transcript import socketio

from sansocket.sansio.config import Transport


def test_what_it_shows() -> None:
    app, driver, client, socket = connected()
    conn = socket.conn
    assert (conn.transport, conn.connected, conn.backlog, conn.protocol) == (
        "websocket",
        True,
        0,
        4,
    )
    assert conn.request.path == "/socket.io/"
    assert conn.request.query["transport"] == "websocket"
    client.pipe.writable = False
    socket.emit("x" * 100)
    socket.emit("x" * 100)
    assert conn.backlog > 100
    client.pipe.writable = True
    client.pipe.pull()
    client.take()
    other = app.of("/other")
    assert other.sockets[client.connect("/other")].conn is conn
    second = SocketIOClient(driver)
    assert app.sockets[second.connect()].conn is not conn


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_no_secret_in_it(transport: Transport) -> None:
    """Rule 97: who prints it, or logs it, gives nobody the session."""
    app, driver = socketio()
    client, socket = join(app, driver, transport)
    assert client.sid in app.engine.sessions
    for text in (repr(socket.conn), str(socket.conn), f"{socket.conn}", repr(socket)):
        assert client.sid not in text
    assert client.sid not in repr(socket.conn.request)
    assert not hasattr(socket.conn, "id")
    assert repr(socket.conn) == f"<EngineSession {transport} open>"


def test_events() -> None:
    """Of this session alone; the functions do not get it, and `off` forgets them."""
    app, driver = socketio()
    (first, socket), (second, _) = join(app, driver), join(app, driver)
    told: list[tuple[Any, ...]] = []

    def close(*args: Any) -> None:
        told.append(args)

    socket.conn.on("close", close)
    packets: list[Any] = []
    socket.conn.on("packet", packets.append)
    socket.conn.once("packet", packets.append)
    first.send('2["x"]')
    second.send('2["x"]')
    socket.conn.off("packet", packets.append)
    first.send('2["x"]')
    assert [packet.data for packet in packets] == ['2["x"]'] * 2
    second.leave()
    first.leave()
    assert told == [("transport close",)]
    assert socket.conn.listeners("close") == [close]
    with pytest.raises(ValueError, match="expected one of"):
        socket.conn.on("no event", close)


def test_close() -> None:
    """The connection goes, and the namespaces with it, without a word of their own."""
    app, driver, client, socket = connected()
    reasons: list[str] = []
    app.on("disconnect", lambda socket, reason: reasons.append(reason))
    socket.emit("last")
    socket.conn.close()
    driver.settle()
    assert client.take() == ['2["last"]']
    assert client.over
    assert reasons == ["forced close"]
    assert repr(socket.conn) == "<EngineSession websocket closed>"
    socket.conn.close()

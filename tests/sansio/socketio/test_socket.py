"""One client in one namespace, as the application has it."""

from __future__ import annotations

from typing import Any

import pytest
from support.socketio_client import SocketIOClient, connected, rooms_of
from support.transcript import socketio

from sansocket.sansio.errors import Disconnected, LocalProtocolError
from sansocket.sansio.socketio.packet import RESERVED
from sansocket.sansio.socketio.socket import Socket


def test_connected() -> None:
    """Protocol rule 64: accepted, and in its own room, before its handlers run."""
    app, driver = socketio()
    seen: list[object] = []

    def look(socket: Socket, auth: object = None) -> None:
        seen.append((socket.connected, socket.rooms))

    app.use(look)
    app.on("connect", look)
    client = SocketIOClient(driver)
    socket_id = client.connect()
    assert seen == [(False, frozenset()), (True, {socket_id})]
    socket = app.sockets[socket_id]
    assert not socket.recovered
    assert socket.data == {}
    assert socket.namespace is app
    assert repr(socket) == f"<Socket {socket_id} / connected>"
    client.leave()
    assert not socket.connected


def test_transport() -> None:
    """Protocol rule 33: it changes with the upgrade, and the last one stays known."""
    app, driver = socketio()
    client = SocketIOClient(driver, "polling")
    socket = app.sockets[client.connect()]
    transports: list[str] = [socket.transport]
    prober = driver.websocket(client.sid)
    prober.send("2probe")
    client.poll.answer()
    prober.send("5")
    transports.append(socket.transport)
    prober.pipe.lose()
    transports.append(socket.transport)
    assert transports == ["polling", "websocket", "websocket"]


# Emitting


def test_emit() -> None:
    """Protocol rules 41, 49 and 54: values, binary, and nothing that JSON would not have."""
    _, _, client, socket = connected()
    socket.emit("plain", 1, None, {"a": [True]}, "é", float("nan"))
    socket.emit("binary", b"one", bytearray(b"two"), memoryview(b"three"))
    socket.send("a message", 2)
    assert client.take() == [
        '2["plain",1,null,{"a":[true]},"é",null]',
        '53-["binary",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},'
        '{"_placeholder":true,"num":2}]',
        b"one",
        b"two",
        b"three",
        '2["message","a message",2]',
    ]


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_reserved_name(name: str) -> None:
    """Protocol rules 43 and 92: the client's own decoder would refuse it."""
    _, _, client, socket = connected()
    with pytest.raises(LocalProtocolError, match="reserved"):
        socket.emit(name)
    assert client.take() == []


@pytest.mark.parametrize("value", [object(), {1: 2}, {1, 2}], ids=["object", "key", "set"])
def test_what_no_packet_can_carry(value: object) -> None:
    """Security rule T19: the application's error; nothing is sent and nothing is awaited."""
    app, _, client, socket = connected(max_pending_acks=1)
    for _ in range(2):
        with pytest.raises(LocalProtocolError):
            socket.emit("x", b"bytes", value, ack=lambda: None)
        with pytest.raises(LocalProtocolError):
            app.emit("x", value, ack=lambda error, answers: None)
    assert client.take() == []
    socket.emit("x", ack=lambda: None)


def test_before_it_is_accepted() -> None:
    """Security rule 26: nothing can be sent to who has not been let in, nor any room entered."""
    app, driver = socketio()
    errors: list[object] = []

    @app.use
    def middleware(socket: Socket, auth: object) -> None:
        with pytest.raises(LocalProtocolError) as emitting:
            socket.emit("x")
        with pytest.raises(LocalProtocolError) as joining:
            socket.join("room")
        errors.extend([emitting.type, joining.type])
        socket.leave("room")
        app.emit("to all")

    client = SocketIOClient(driver)
    client.connect()
    assert errors == [LocalProtocolError] * 2


def test_after_its_end() -> None:
    """A client may go at any time: no effect, and no error but for what is wrong by itself."""
    app, driver, client, socket = connected()
    client.leave()
    called: list[object] = []
    socket.emit("x", ack=called.append)
    socket.timeout(1.0).emit("x", ack=called.append)
    socket.join("room")
    socket.leave("room")
    socket.disconnect()
    socket.disconnect(close=True)
    driver.settle()
    [error] = called
    assert isinstance(error, Disconnected)
    assert not rooms_of(app)
    with pytest.raises(LocalProtocolError):
        socket.emit("disconnect")


# Rooms


def test_rooms() -> None:
    """Its own room among them; entering twice and leaving what it is not in have no effect."""
    app, _, _, socket = connected()
    socket.join("a")
    socket.join("a")
    socket.leave("b")
    assert socket.rooms == {socket.id, "a"}
    socket.leave("a")
    assert socket.rooms == {socket.id}
    assert rooms_of(app) == {socket.id}


def test_rooms_in_the_disconnect_handlers() -> None:
    """They are those that it was in, though broadcasts do not reach it any more."""
    app, _, client, socket = connected()
    seen: list[object] = []

    def handler(socket: Socket, reason: str) -> None:
        seen.append((socket.rooms, socket.connected, rooms_of(app), len(app.sockets)))

    app.on("disconnecting", handler)
    app.on("disconnect", handler)
    socket.join("a")
    client.leave()
    assert seen == [({socket.id, "a"}, False, frozenset(), 0)] * 2
    assert socket.rooms == {socket.id, "a"}


def test_the_room_of_another() -> None:
    """Security rule 26: it would hear what is meant for the other alone."""
    app, driver, _, socket = connected()
    other = app.sockets[SocketIOClient(driver).connect()]
    with pytest.raises(LocalProtocolError, match="another"):
        socket.join(other.id)
    socket.join(socket.id)
    assert socket.rooms == {socket.id}
    assert other.rooms == {other.id}


def test_the_bound_on_rooms() -> None:
    """Protocol rule 98: its own counts; a room that it is in already is no room more."""
    _, _, _, socket = connected(max_rooms=3)
    for _ in range(2):
        socket.join("a")
        socket.join("b")
    with pytest.raises(LocalProtocolError, match="3 rooms"):
        socket.join("c")
    socket.join("b")
    assert socket.rooms == {socket.id, "a", "b"}
    socket.leave("a")
    socket.join("c")


# To others


def test_operators() -> None:
    """Protocol rule 77: each reaches whom it names, once, and never the socket itself."""
    app, driver = socketio()
    clients = [SocketIOClient(driver) for _ in range(4)]
    sockets = [app.sockets[client.connect()] for client in clients]
    for socket, rooms in zip(sockets, ["ab", "ab", "b", ""], strict=True):
        for room in rooms:
            socket.join(room)
    me = sockets[0]
    nobody: list[int] = []
    reached = {
        "everyone": (me.broadcast, [1, 2, 3]),
        "local": (me.local, [1, 2, 3]),
        "a": (me.to("a"), [1]),
        "a or b": (me.to("a", "b"), [1, 2]),
        "also": (me.in_("a").to("b"), [1, 2]),
        "an id": (me.to(sockets[3].id), [3]),
        "not a": (me.except_("a"), [2, 3]),
        "b, not an id": (me.to("b").except_(sockets[1].id), [2]),
        "myself": (me.to(me.id), nobody),
        "nowhere": (me.to("nowhere"), nobody),
        "volatile": (me.volatile.broadcast, [1, 2, 3]),
        "timeout": (me.timeout(1.0).to("b"), [1, 2]),
        "volatile in": (me.volatile.in_("a"), [1]),
        "volatile except": (me.volatile.except_("a"), [2, 3]),
    }
    for name, (broadcast, numbers) in reached.items():
        broadcast.emit(name)
        got = [number for number, client in enumerate(clients) if client.take()]
        assert got == numbers, name


def test_names_of_rooms() -> None:
    """Security rule 17: what is no text is the application's mistake, and shows at once."""
    app, _, _, socket = connected()
    wrong: Any = 5
    with pytest.raises(TypeError, match="room"):
        socket.join(wrong)
    with pytest.raises(TypeError, match="room"):
        socket.to(wrong)
    with pytest.raises(TypeError, match="room"):
        app.except_(wrong)


def test_leaving_all_rooms() -> None:
    """But its own: it can still be reached by its id."""
    _, _, _, socket = connected()
    socket.join("a")
    socket.join("b")
    socket.leave_all()
    assert socket.rooms == {socket.id}


# Its own handlers


def test_handlers_of_a_socket() -> None:
    """They get the arguments alone; those of other sockets hear nothing, nor it of them."""
    app, driver, client, socket = connected()
    other = SocketIOClient(driver)
    other.connect()
    told: list[object] = []

    @socket.on("x")
    def handler(value: int) -> int:
        told.append(value)
        return value + 1

    @socket.on("disconnect")
    def gone(reason: str) -> None:
        told.append(reason)

    other.send('20["x",5]')
    client.send('20["x",1]')
    assert (other.take(), client.take()) == ([], ["30[2]"])
    client.leave()
    assert told == [1, "transport close"]
    assert socket.listens
    assert not next(iter(app.sockets.values())).listens


def test_what_goes_out() -> None:
    """Told for each recipient, and not of what was dropped; what fails there is reported."""
    app, driver, client, socket = connected()
    told: list[tuple[Any, ...]] = []

    @app.on_any_outgoing
    def everyone(socket: Socket, name: str, *args: object) -> None:
        told.append(("namespace", socket.id, name, *args))

    @socket.on_any_outgoing
    def own(name: str, *args: object) -> None:
        told.append(("socket", name, *args))
        raise RuntimeError("mine")

    app.emit("x", 1)
    assert told == [("namespace", socket.id, "x", 1), ("socket", "x", 1)]
    assert client.take() == ['2["x",1]']
    client.pipe.writable = False
    socket.emit("waits")
    socket.volatile.emit("dropped")
    assert [args[-1] for args in told[2:]] == ["waits", "waits"]
    assert [type(error) for _, error in driver.runtime.logged] == [RuntimeError] * 2


def test_accepted_or_refused_once() -> None:
    """Protocol rules 58 and 60: the client is answered once."""
    app, driver = socketio()
    seen: list[Socket] = []

    @app.use
    def refuse(socket: Socket, auth: object) -> None:
        seen.append(socket)
        socket.refuse("no")

    client = SocketIOClient(driver)
    client.send("0")
    assert client.take() == ['4{"message":"no"}']
    [socket] = seen
    for function in (socket.accept, lambda: socket.refuse("no")):
        with pytest.raises(LocalProtocolError):
            function()
    assert driver.runtime.logged == []

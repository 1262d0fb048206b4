"""A namespace: its sockets, its handlers, its middleware, its numbers."""

from __future__ import annotations

from typing import Any, cast

import pytest
from support.runtime import Gate, Pause, Task
from support.socketio_client import SocketIOClient, connected, join, reached_by, record, rooms_of
from support.transcript import socketio

from sansocket.sansio.engineio.encoded import encode_message
from sansocket.sansio.errors import LocalProtocolError
from sansocket.sansio.socketio.packet import Packet, Type
from sansocket.sansio.socketio.parser import JsonParser, Parser
from sansocket.sansio.socketio.socket import Socket


def nothing() -> None:
    """A handler that takes too little."""


def one(socket: Socket) -> None:
    """A handler of `connect`."""


def two(socket: Socket, reason: Any) -> None:
    """A handler of `disconnect`, or a middleware."""


def three(socket: Socket, auth: Any, more: Any) -> None:
    """A handler that asks for too much."""


def unheard(*values: object) -> None:
    """Take an acknowledgement."""


# Registering


def test_two_ways_to_register() -> None:
    """As a decorator or with the handler; the function comes back as it was."""
    app, _, client, _ = connected()
    told: list[str] = []

    @app.on("x")
    def decorated(socket: Socket) -> None:
        told.append("decorated")

    def given(socket: Socket) -> None:
        told.append("given")

    assert app.on("x", given) is given
    assert app.use(two) is two
    decorated(app.sockets[next(iter(app.sockets))])
    client.send('2["x"]')
    assert told == ["decorated", "decorated", "given"]


@pytest.mark.parametrize("event", ["connect_error", "newListener", "removeListener"])
def test_what_never_happens_on_a_server(event: str) -> None:
    """Protocol rules 43 and 92: no client can send it, so a handler would wait in vain."""
    app, _ = socketio()
    with pytest.raises(ValueError, match=event):
        app.on(event)
    with pytest.raises(ValueError, match=event):
        app.on(event, one)


@pytest.mark.parametrize(
    ("event", "good", "bad"),
    [
        ("connect", one, nothing),
        ("connect", one, two),
        ("disconnect", two, one),
        ("disconnect", two, three),
        ("disconnecting", two, one),
    ],
)
def test_handlers_of_the_lifecycle(event: str, good: Any, bad: Any) -> None:
    """A mistake shows when it is made, not when the first client comes."""
    app, driver = socketio()
    app.on(event, good)
    with pytest.raises(TypeError, match=event):
        app.on(event, bad)
    client = SocketIOClient(driver)
    client.connect()
    client.leave()
    assert driver.runtime.logged == []


@pytest.mark.parametrize("bad", [None, 5, "name"])
def test_what_is_no_function(bad: Any) -> None:
    app, driver = socketio()
    with pytest.raises(TypeError):
        app.on("x")(bad)
    with pytest.raises(TypeError):
        app.use(bad)
    SocketIOClient(driver).connect()


@pytest.mark.parametrize("bad", [nothing, one, three])
def test_what_is_no_middleware(bad: Any) -> None:
    """It is called with the socket and `auth`."""
    app, driver = socketio()
    with pytest.raises(TypeError, match="middleware"):
        app.use(bad)
    SocketIOClient(driver).connect()


def test_handlers_of_a_lifecycle_name_are_not_reached_from_the_wire() -> None:
    """Protocol rule 92, security rule 17: also by names that Python knows."""
    app, _, client, socket = connected()
    told = record(app, "__init__", "emit", "disconnect")
    client.send('2["emit","x"]', '2["__init__"]', '2["leave","room"]')
    assert told == [("emit", "x"), ("__init__",)]
    assert client.take() == []
    assert socket.connected


# Its sockets


def test_sockets() -> None:
    """A view that changes as they come and go, and that nobody can change."""
    app, driver = socketio()
    sockets = app.sockets
    assert not sockets
    client, socket = join(app, driver)
    assert sockets == {socket.id: socket}
    assert repr(app) == "<App / with 1 sockets>"
    assert repr(app.of("/a")) == "<Namespace /a with 0 sockets>"
    with pytest.raises(TypeError):
        cast("dict[str, Socket]", sockets)["x"] = socket
    client.leave()
    assert not sockets


def test_namespaces_have_nothing_in_common() -> None:
    """Rooms, sockets, handlers, middleware and numbers are each one's own."""
    app, driver = socketio()
    other = app.of("/other")
    client = SocketIOClient(driver)
    first = app.sockets[client.connect()]
    second = other.sockets[client.connect("/other")]
    first.join("room")
    second.join("room")
    app.to("room").emit("x", ack=unheard)
    assert client.take() == ['20["x"]']
    other.to("room").emit("y", ack=unheard)
    assert client.take() == ['2/other,0["y"]']
    other.to(first.id).emit("nobody")
    first.data["a"] = 1
    assert second.data == {}
    assert app.name == "/"
    assert other.name == "/other"
    assert client.take() == []


def test_numbers_of_acknowledgements() -> None:
    """Protocol rule 46: from zero, one for each, whichever socket asks."""
    app, driver = socketio()
    pairs = [join(app, driver) for _ in range(2)]
    for _ in range(2):
        for _, socket in pairs:
            socket.emit("x", ack=unheard)
    assert [client.take() for client, _ in pairs] == [
        ['20["x"]', '22["x"]'],
        ['21["x"]', '23["x"]'],
    ]


def test_emit_to_nobody() -> None:
    """What is emitted is lost on those who come later; a mistake shows all the same."""
    app, driver = socketio()
    app.emit("x")
    with pytest.raises(LocalProtocolError):
        app.emit("disconnect")
    with pytest.raises(LocalProtocolError):
        app.of("/a").emit("x", object())
    client = SocketIOClient(driver)
    client.connect()
    assert client.take() == []


def test_who_waits_is_not_there_yet() -> None:
    """Security rule 26: neither listed, nor reached, nor in a room, until it is accepted."""
    app, driver = socketio()
    seen: list[object] = []

    @app.use
    def look(socket: Socket, auth: object) -> None:
        app.emit("to all")
        app.to(socket.id).emit("to it")
        seen.append((dict(app.sockets), rooms_of(app), reached_by(driver, app)))

    client = SocketIOClient(driver)
    client.connect()
    assert seen == [({}, frozenset(), [])]


def test_rooms_of_a_namespace() -> None:
    """Protocol rule 77, security rule 26: rooms, ids as rooms, the bound, and who may not enter."""
    app, driver = socketio(max_rooms=2)
    pairs = [join(app, driver, "websocket", room) for room in ("a", "b")]
    (first, one), (_, two) = pairs
    assert reached_by(driver, app.to("a")) == [one]
    assert reached_by(driver, app.to(two.id)) == [two]
    assert reached_by(driver, app.except_("a")) == [two]
    one.join("a")
    for room in (two.id, "too many"):
        with pytest.raises(LocalProtocolError):
            one.join(room)
    wrong: Any = 5
    with pytest.raises(TypeError):
        two.join(wrong)
    first.leave()
    one.join("a")
    assert rooms_of(app) == {two.id, "b"}


def test_what_listens_to_rooms_and_fails() -> None:
    """Security rules T1 and T13: it goes to the log; the client comes and goes all the same."""
    app, driver = socketio()

    def fail(*args: object) -> None:
        raise RuntimeError("mine")

    for event in ("create_room", "join_room", "leave_room", "delete_room"):
        app.adapter.on(event, fail)
    client, socket = join(app, driver, "websocket", "room")
    assert socket.rooms == {socket.id, "room"}
    client.leave()
    assert not app.sockets
    assert not rooms_of(app)
    assert [str(error) for _, error in driver.runtime.logged] == ["mine"] * 8


@pytest.mark.parametrize("waits", [False, True])
def test_plain_functions_need_no_task(waits: bool) -> None:
    """Middleware and handlers that do not wait are called at once; others get a task."""
    app, driver = socketio()
    app.use(two)
    if waits:

        @app.use
        async def waiting(socket: Socket, auth: object) -> None:
            await Pause()

    SocketIOClient(driver).connect()
    assert len(driver.runtime.homes) == waits


def test_callbacks_that_fail() -> None:
    """Security rules T1 and 34: in the log, as INFO where the client answered with other values."""
    _, driver, client, socket = connected()

    def fail(*values: object) -> None:
        raise RuntimeError("mine")

    socket.emit("one", ack=fail)
    socket.emit("two", ack=nothing)
    socket.namespace.emit("three", ack=fail)
    client.send("30[]", "31[5]", "32[]")
    assert [type(error) for _, error in driver.runtime.logged] == [
        RuntimeError,
        type(None),
        RuntimeError,
    ]


def test_names_are_equal_or_not() -> None:
    """A handler for one name is not called for another that looks alike."""
    app, _, client, _ = connected()
    told = record(app, "a", "A", "a ", "5")
    client.send('2["a"]', '2["A"]', "2[5]", '2["a  "]')
    assert told == [("a",), ("A",), ("5",)]


def test_how_many_at_once() -> None:
    """Events of one socket, one at a time unless the application says otherwise."""
    app, driver, client, _ = connected()
    gate = Gate()
    begun: list[int] = []

    @app.on("x")
    async def handler(socket: Socket, number: int) -> None:
        begun.append(number)
        await gate.wait()

    with pytest.raises(ValueError, match="concurrency"):
        app.concurrency = 0
    assert app.concurrency == 1
    app.concurrency = 2
    client.send('2["x",1]', '2["x",2]', '2["x",3]')
    assert begun == [1, 2]
    gate.open()
    driver.settle()
    assert begun == [1, 2, 3]


def test_other_servers() -> None:
    """There are none: nobody hears, nobody answers, and a client cannot pretend to be one."""
    app, driver, client, _ = connected()
    app.on_server_side("x", lambda: pytest.fail("there is no other server"))
    app.server_side_emit("x", 1)
    assert Task(driver.runtime, app.server_side_emit_with_ack("x", 1, timeout=5.0)).result == []
    client.send('20["x"]')
    assert client.take() == []


@pytest.mark.parametrize("parser", ["json", "msgpack", JsonParser(default=str)])
@pytest.mark.parametrize("name", ["/", "/chat", "/é\\"])
def test_the_welcome_of_each_is_the_same_but_for_the_id(name: str, parser: str | Parser) -> None:
    """Rule 58: what is written for the first is not written anew for the others."""
    app, _ = socketio(parser=parser)
    for number in range(3):
        packet = Packet(Type.CONNECT, name, {"sid": f"{number:020}"})
        plain = encode_message(app.core.parser.encode(packet))
        assert app.of(name).encode_welcome(f"{number:020}").messages == plain.messages

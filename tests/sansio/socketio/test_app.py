"""A Socket.IO server as an application sees it."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from support.runtime import Pause
from support.socketio_client import SocketIOClient, record
from support.transcript import WebSocketPipe, request_bytes, socketio, websocket_request_bytes

from sansocket.sansio.config import Transport
from sansocket.sansio.engineio.session import Peer
from sansocket.sansio.engineio.static import StaticFile
from sansocket.sansio.socketio.msgpack import MsgpackParser
from sansocket.sansio.socketio.namespace import Namespace
from sansocket.sansio.socketio.namespace_class import NamespaceClass
from sansocket.sansio.socketio.parser import JsonParser, Parser
from sansocket.sansio.socketio.socket import Socket


def test_it_is_its_main_namespace() -> None:
    """`of("/")` is the server itself; every other name is made once."""
    app, _ = socketio()
    assert app.of("/") is app
    admin = app.of("/admin")
    assert app.of("/admin") is admin
    assert admin is not app
    assert admin.name == "/admin"
    assert app.of("/admin/") is not admin


@pytest.mark.parametrize("name", ["", "admin", "/a,b", " /a"])
def test_what_is_no_name_of_a_namespace(name: str) -> None:
    """Protocol rule 41: it could not be told from what stands around it."""
    app, _ = socketio()
    with pytest.raises(ValueError, match="namespace"):
        app.of(name)


def test_a_name_may_have_a_query() -> None:
    """Protocol rule 55: it is kept as it is, and is another name."""
    app, driver = socketio()
    told = record(app.of("/a?x=1"), "connect")
    client = SocketIOClient(driver)
    client.send("0/a,")
    assert client.take() == ['4/a,{"message":"Invalid namespace"}']
    client.connect("/a?x=1")
    assert told == [("connect",)]


def test_handlers_may_come_late() -> None:
    """A namespace that is made, or gets a handler, while clients are there."""
    app, driver = socketio()
    client = SocketIOClient(driver)
    client.send("0/late")
    assert client.take() == ['4/late,{"message":"Invalid namespace"}']
    late = app.of("/late")
    client.connect("/late")
    told = record(late, "x")
    client.send('2/late,["x"]')
    assert told == [("x",)]


# Options


def test_options() -> None:
    """They are those of `ServerConfig`, checked at once."""
    app, _ = socketio(ping_interval=3.0, max_rooms=7, path="/other/")
    assert (app.config.ping_interval, app.config.max_rooms) == (3.0, 7)
    assert app.config is app.core.config
    assert app.engine is app.core.engine
    assert app.engine.serves("/other/")
    with pytest.raises(ValueError, match="max_rooms"):
        socketio(max_rooms=0)
    with pytest.raises(TypeError):
        socketio(no_such_option=1)


@pytest.mark.parametrize("parser", ["xml", "", "JSON"])
def test_an_unknown_parser(parser: str) -> None:
    with pytest.raises(ValueError, match="json"):
        socketio(parser=parser)


@pytest.mark.parametrize("parser", ["json", JsonParser()], ids=["name", "object"])
def test_the_json_parser(parser: str | Parser) -> None:
    app, driver = socketio(parser=parser)
    told = record(app, "x")
    client = SocketIOClient(driver)
    client.connect()
    client.send('20["x",1]')
    assert told == [("x", 1)]
    assert client.take() == ["30[]"]


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize("parser", ["msgpack", MsgpackParser()], ids=["name", "object"])
def test_the_msgpack_parser(parser: str | Parser, transport: Transport) -> None:
    """Protocol rule 56: every packet is one binary message, by either transport."""
    app, driver = socketio(parser=parser)
    told = record(app, "x")
    client = SocketIOClient(driver, transport)

    def send(**packet: Any) -> None:
        client.send(msgspec.msgpack.encode({"nsp": "/", **packet}))

    def take() -> list[dict[str, Any]]:
        frames = client.take()
        assert all(isinstance(frame, bytes) for frame in frames)
        return [msgspec.msgpack.decode(frame) for frame in frames if isinstance(frame, bytes)]

    send(type=0)
    [socket_id] = app.sockets
    assert take() == [{"type": 0, "data": {"sid": socket_id}, "nsp": "/"}]
    send(type=2, data=["x", b"bytes"], id=7)
    assert told == [("x", b"bytes")]

    def answered(error: Exception | None, answers: list[object]) -> None:
        told.append(("answered", *answers))

    app.emit("y", b"more", ack=answered)
    send(type=3, data=["yes"], id=0)
    assert told[1:] == [("answered", "yes")]
    send(type=0, nsp="/nope")
    answers = take()
    assert [answer["type"] for answer in answers] == [3, 2, 4]
    assert answers[1]["data"] == ["y", b"more"]
    assert answers[2] == {"type": 4, "data": {"message": "Invalid namespace"}, "nsp": "/nope"}


# The rest of its face


def test_on_error() -> None:
    """One hook for all namespaces; the last one counts."""
    app, driver = socketio()
    told: list[tuple[object, ...]] = []

    @app.on_error
    def first(*args: object) -> None:
        raise AssertionError("replaced")

    def second(error: Exception, socket: Socket, event: str, args: tuple[object, ...]) -> None:
        told.append((str(error), socket.namespace.name, event, args))

    assert app.on_error(second) is second
    for namespace in (app, app.of("/a")):

        @namespace.on("x")
        def fail(socket: Socket, value: int) -> None:
            raise RuntimeError("mine")

    client = SocketIOClient(driver)
    client.connect()
    client.connect("/a")
    client.send('2["x",1]', '2/a,["x",2]')
    assert told == [("mine", "/", "x", (1,)), ("mine", "/a", "x", (2,))]
    assert driver.runtime.logged == []


def test_static_files() -> None:
    """Security rule 33: what stands in the table is served, and nothing else."""
    app, driver = socketio()
    app.static["/client.js"] = StaticFile(b"code", "text/javascript")
    pipe = driver.connect()
    pipe.send(request_bytes("GET", path="/client.js"))
    answer = pipe.answer()
    assert answer is not None
    assert (answer.status, answer.body) == (200, "code")


def test_handlers_run_in_the_home_of_their_session() -> None:
    """A backend finds its own again: what it gave with the connection comes with the task."""
    app, driver = socketio()

    @app.on("connect")
    async def connect(socket: Socket) -> None:
        await Pause()

    for home in ("one", "two"):
        pipe = driver.connect(Peer(home=home))
        pipe.send(websocket_request_bytes(query="EIO=4&transport=websocket"))
        WebSocketPipe(pipe).send("40")
    assert driver.runtime.homes == ["one", "two"]


# Namespaces that clients ask for


@pytest.mark.parametrize("waits", [False, True])
def test_parents(waits: bool) -> None:
    """Protocol rule 66: what there is comes first, then each parent in its order; or none."""
    app, driver = socketio()
    made: list[str] = []

    def plain(name: str, auth: dict[str, Any]) -> bool:
        return auth == {"may": True}

    async def waiting(name: str, auth: dict[str, Any]) -> bool:
        await Pause()
        return plain(name, auth)

    @app.on_new_namespace
    def fail(namespace: Namespace) -> None:
        raise RuntimeError("mine")

    @app.on_new_namespace
    def new(namespace: Namespace) -> None:
        made.append(namespace.name)

    app.of("/dyn-0")
    first = app.of(re.compile(r"/dyn-\d"))
    second = app.of(waiting if waits else plain)
    client = SocketIOClient(driver)
    client.connect("/dyn-0")
    for packet in ("0/dyn-1", '0/x,{"may":true}', "0/y"):
        client.send(packet)
        driver.settle()
    answers = client.take()
    assert answers[-1] == '4/y,{"message":"Invalid namespace"}'
    assert made == ["/dyn-1", "/x"]
    assert (set(first.children), set(second.children)) == ({"/dyn-1"}, {"/x"})
    assert [str(error) for _, error in driver.runtime.logged] == ["mine"] * 2
    client.leave()
    assert set(app.core.namespaces) == {"/", "/dyn-0"}


def test_a_parent_that_fails() -> None:
    """Security rules T1, 27 and 34: refused as if there were none, without details."""
    app, driver = socketio()

    @app.of
    def fail(name: str, auth: object) -> bool:
        raise RuntimeError("secret")

    app.of(re.compile(".*"))
    client = SocketIOClient(driver)
    client.send("0/x")
    assert client.take() == ['4/x,{"message":"Invalid namespace"}']
    assert list(app.core.namespaces) == ["/"]
    [(_, error)] = driver.runtime.logged
    assert str(error) == "secret"


def test_what_is_no_parent() -> None:
    app, _ = socketio()
    wrong: Any = 5
    with pytest.raises(TypeError, match="pattern"):
        app.of(wrong)


def test_methods_as_handlers() -> None:
    """Security rule 17: looked at once; no name of a client's is looked up in the object."""
    app, driver = socketio()
    told: list[object] = []

    class Chat(NamespaceClass):
        """Handlers of one namespace."""

        name = "/chat"

        def on_message(self, socket: Socket, text: str) -> int:
            told.append(text)
            return 1

        def secret(self, socket: Socket) -> None:
            told.append("secret")

    chat = Chat()
    assert app.register(chat) is app.of("/chat")
    assert chat.namespace is app.of("/chat")
    client = SocketIOClient(driver)
    client.connect("/chat")
    client.send('2/chat,0["message","hi"]', '2/chat,["secret"]', '2/chat,["on_message","x"]')
    assert client.take() == ["3/chat,0[1]"]
    assert told == ["hi"]

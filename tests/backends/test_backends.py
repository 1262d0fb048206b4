"""What a client sees is the same on every backend."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from backends.hosts import Gate, Host
from interop.peers import WebSocket

from sansocket.sansio.errors import ConnectionRefused, Disconnected
from sansocket.sansio.socketio.acks import Ack
from sansocket.sansio.socketio.socket import Socket

Serve = Callable[..., Host]


def join(host: Host, name: str = "/", auth: str = "") -> tuple[WebSocket, str]:
    """A client in a namespace, and the id of its socket."""
    websocket = host.websocket()
    prefix = "" if name == "/" else f"{name},"
    websocket.send(f"40{prefix}{auth}")
    answer = str(websocket.receive())
    assert answer.startswith(f"40{prefix}"), answer
    return websocket, json.loads(answer[2 + len(prefix) :])["sid"]


def test_events_and_acknowledgements_over_both_transports(serve: Serve) -> None:
    host = serve()

    @host.io.on("plain")
    def plain(socket: Socket, *args: Any) -> tuple[Any, ...]:
        return args

    @host.io.on("async")
    async def later(socket: Socket, value: Any, ack: Ack) -> None:
        ack(value, b"\x01")

    host.start()
    websocket, _ = join(host)
    websocket.send('421["plain",1,"two",null]', '422["async",{"a":[]}]')
    assert websocket.receive() == '431[1,"two",null]'
    assert websocket.receive() == '461-2[{"a":[]},{"_placeholder":true,"num":0}]'
    assert websocket.receive() == b"\x01"
    polling = host.polling()
    assert polling.post("40").text == "ok"
    assert polling.get().text.startswith("40{")
    assert polling.post('421["plain"]\x1e422["async",1]').text == "ok"
    assert polling.get().text.split("\x1e")[0] == "431[]"


def test_middleware_refuses_with_message_and_data(serve: Serve) -> None:
    host = serve()

    @host.io.of("/admin").use
    async def check(socket: Socket, auth: dict[str, Any]) -> None:
        if auth.get("token") != "secret":
            raise ConnectionRefused("no", data={"code": 1})

    host.start()
    join(host, "/admin", '{"token":"secret"}')
    websocket = host.websocket()
    websocket.send("40/admin,", "40/nowhere,")
    answers = {websocket.receive(), websocket.receive()}
    assert answers == {
        '44/admin,{"message":"no","data":{"code":1}}',
        '44/nowhere,{"message":"Invalid namespace"}',
    }


def test_rooms_and_broadcast(serve: Serve) -> None:
    host = serve()

    @host.io.on("join")
    def enter(socket: Socket, room: str) -> int:
        socket.join(room)
        return len(socket.rooms)

    @host.io.on("say")
    async def say(socket: Socket, room: str, text: str) -> None:
        socket.to(room).emit("said", text)

    host.start()
    (one, _), (two, _), (three, _) = join(host), join(host), join(host)
    for client in (one, two):
        client.send('421["join","a"]')
        assert client.receive() == "431[2]"
    one.send('42["say","a","hi"]')
    assert two.receive() == '42["said","hi"]'
    host.run(lambda: host.io.emit("all"))
    assert [client.receive() for client in (one, two, three)] == ['42["all"]'] * 3


def test_call_returns_what_the_client_acknowledges(serve: Serve) -> None:
    host = serve()

    @host.io.on("ask me")
    async def ask(socket: Socket) -> Any:
        return await socket.call("question", timeout=10)

    host.start()
    client, _ = join(host)
    client.send('427["ask me"]')
    assert client.receive() == '420["question"]'
    client.send("430[42]")
    assert client.receive() == "437[42]"


def test_call_times_out_by_the_loops_own_error(serve: Serve, backend: str) -> None:
    """`TimeoutError` on asyncio, `trio.TooSlowError` on Trio."""
    host = serve()
    names: list[str] = []

    @host.io.on("ask me")
    async def ask(socket: Socket) -> None:
        try:
            await socket.call("question", timeout=0.001)
        except Exception as error:
            names.append(type(error).__name__)
            socket.emit("late")

    host.start()
    client, _ = join(host)
    client.send('42["ask me"]')
    assert client.receive() == '420["question"]'
    assert client.receive() == '42["late"]'
    assert names == ["TooSlowError" if backend == "trio" else "TimeoutError"]


@pytest.mark.parametrize("how", ["call", "drain"])
def test_who_waits_for_a_client_is_told_that_it_has_gone(serve: Serve, how: str) -> None:
    host = serve()
    told: list[str] = []

    @host.io.on("wait")
    async def wait(socket: Socket) -> None:
        try:
            if how == "call":
                await socket.call("question")
            else:
                for _ in range(30):
                    socket.emit("data", b"x" * 500_000)
                await socket.drain()
        except Disconnected as gone:
            told.append(gone.reason)

    host.start()
    client, _ = join(host)
    client.send('42["wait"]')
    assert client.receive() is not None
    client.close()
    host.see(lambda: len(told), 1)


def test_handlers_of_one_socket_come_in_order_and_those_of_others_do_not_wait(serve: Serve) -> None:
    host = serve()
    gate = Gate(host.io)
    order: list[Any] = []

    @host.io.on("slow")
    async def slow(socket: Socket, number: int) -> int:
        await gate.wait()
        order.append(number)
        return number

    @host.io.on("fast")
    def fast(socket: Socket) -> str:
        order.append("fast")
        return "fast"

    @host.io.on("disconnect")
    def gone(socket: Socket, reason: str) -> None:
        order.append(reason)

    host.start()
    (one, _), (two, _) = join(host), join(host)
    one.send('421["slow",1]', '422["slow",2]', '423["fast"]', "41")
    two.send('421["fast"]')
    assert two.receive() == '431["fast"]'
    host.run(gate.open)
    host.see(lambda: order, ["fast", 1, 2, "fast", "client namespace disconnect"])


def test_a_failing_handler_disturbs_nobody_and_the_client_is_told(serve: Serve) -> None:
    host = serve()
    errors: list[str] = []

    @host.io.on("fail")
    async def fail(socket: Socket) -> None:
        raise ValueError("secret")

    @host.io.on("echo")
    def echo(socket: Socket, value: int) -> int:
        return value

    @host.io.on_error
    def report(error: Exception, socket: Socket, event: str, args: tuple[Any, ...]) -> None:
        errors.append(f"{error} {event} {args}")

    host.start()
    client, _ = join(host)
    client.send('421["fail"]', '422["echo",5]')
    assert client.receive() == '431[{"message":"Internal server error"}]'
    assert client.receive() == "432[5]"
    assert errors == ["secret fail ()"]


def test_acknowledgements_of_a_broadcast_come_with_those_that_are_missing(serve: Serve) -> None:
    """`emit_with_ack` with a timeout raises AckTimeout, with the answers that came."""
    host = serve()
    results: list[Any] = []

    @host.io.on("go")
    async def go(socket: Socket, seconds: float) -> None:
        try:
            results.append(await host.io.timeout(seconds).emit_with_ack("question"))
        except TimeoutError as error:
            results.append(getattr(error, "responses", None))

    host.start()
    (one, _), (two, _) = join(host), join(host)
    one.send('42["go",30]')
    for number, client in enumerate((one, two)):
        assert client.receive() == '420["question"]'
        client.send(f"430[{number}]")
    host.see(lambda: [sorted(result) for result in results], [[0, 1]])
    two.send('42["go",0.3]')
    for client in (one, two):
        assert client.receive() == '421["question"]'
    one.send("431[0]")
    host.see(lambda: results[1:], [[0]])


def test_upgrade_keeps_what_waits_in_order(serve: Serve) -> None:
    host = serve()

    @host.io.on("echo")
    async def echo(socket: Socket, number: int) -> None:
        socket.emit("echo", number)

    host.start()
    polling = host.polling()
    polling.post("40")
    assert polling.get().text.startswith("40")
    parked = polling.parked_poll()
    websocket = host.websocket(str(polling.handshake["sid"]))
    websocket.send("2probe")
    assert websocket.receive() == "3probe"
    assert parked.answer().text == "6"
    polling.post('42["echo",1]\x1e42["echo",2]')
    websocket.send("5", '42["echo",3]')
    assert [websocket.receive() for _ in range(3)] == [f'42["echo",{n}]' for n in (1, 2, 3)]


def test_a_client_that_floods_a_slow_handler_is_not_read_from(serve: Serve) -> None:
    """Rule 98: the inbound queue is bounded, and nothing is lost."""
    host = serve(max_inbound=5)
    gate, numbers = Gate(host.io), list[int]()

    @host.io.on("slow")
    async def slow(socket: Socket, number: int) -> None:
        await gate.wait()
        numbers.append(number)

    host.start()
    client, _ = join(host)
    for start in range(0, 2000, 100):
        client.send(*(f'42["slow",{number}]' for number in range(start, start + 100)))
    host.see(lambda: [session.congested for session in host.engine.sessions.values()], [True])
    host.run(gate.open)
    host.see(lambda: len(numbers), 2000)
    assert numbers == list(range(2000))


def test_dynamic_namespaces_come_and_go(serve: Serve) -> None:
    host = serve()

    async def rooms_only(name: str, auth: dict[str, Any]) -> bool:
        return name.startswith("/room-")

    parent = host.io.of(rooms_only)

    @parent.on("where")
    async def where(socket: Socket) -> str:
        return socket.namespace.name

    host.start()
    client, _ = join(host, "/room-1")
    client.send('42/room-1,1["where"]')
    assert client.receive() == '43/room-1,1["/room-1"]'
    client.close()
    host.see(lambda: len(parent.children), 0)


def test_server_disconnects_a_socket_or_its_connection(serve: Serve) -> None:
    host = serve()
    host.start()
    client, socket_id = join(host)
    client.send("40")
    assert client.receive() is None  # a second CONNECT
    client, socket_id = join(host)
    host.run(lambda: host.io.sockets[socket_id].disconnect())
    assert client.receive() == "41"
    client.send("40")
    assert str(client.receive()).startswith("40")
    host.run(lambda: host.io.disconnect_sockets(close=True))
    assert [client.receive(), client.receive()] == ["41", None]
    host.see(lambda: len(host.engine.sessions), 0)

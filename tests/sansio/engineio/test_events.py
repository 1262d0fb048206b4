"""What an engine tells its observers, and when: of sessions here, of requests in test_server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.engineio import Serve, only_socket, opened, post_bytes, record, taken
from support.transcript import socketio

from sansocket.sansio.engineio.app import EngineApp
from sansocket.sansio.engineio.events import ENGINE_EVENTS, SESSION_EVENTS
from sansocket.sansio.engineio.packet import Packet, Type
from sansocket.sansio.engineio.session import Session

Told = list[tuple[object, ...]]


def note(told: Told, event: str) -> Callable[..., None]:
    """A function that notes what it is told."""
    return lambda *args: told.append((event, *args))


def listen(app: EngineApp, *events: str) -> Told:
    """What everyone's observers are told of these events, but for the session."""
    told: Told = []

    def listen_to(event: str) -> None:
        def noted(session: Session, *args: object) -> None:
            assert isinstance(session, Session)
            told.append((event, *args))

        app.engine.on(event, noted)

    for event in events or SESSION_EVENTS:
        listen_to(event)
    return told


def message(data: str | bytes) -> Packet:
    return Packet(Type.MESSAGE, data)


def test_the_life_of_a_session_by_polling(serve: Serve) -> None:
    """Feature rows 33 and 34: packets in and out, the heartbeat, the end."""
    app, driver = serve()
    told = listen(app)
    sid = driver.poll_handshake()
    assert told == []
    driver.post(sid, "4one\x1ebAQ==")
    assert told == [("packet", message("one")), ("packet", message(b"\x01"))]
    told.clear()
    only_socket(app).send("two")
    only_socket(app).send(b"\x02")
    assert told == [("packet_create", message("two")), ("packet_create", message(b"\x02"))]
    told.clear()
    assert taken(driver.get(sid)).body == "4two\x1ebAg=="
    assert told == [("flush", [message("two"), message(b"\x02")]), ("drain",)]
    told.clear()
    driver.get(sid)
    driver.advance(25.0)
    driver.post(sid, "3")
    ping = Packet(Type.PING)
    assert told == [
        ("packet_create", ping),
        ("flush", [ping]),
        ("drain",),
        ("packet", Packet(Type.PONG)),
        ("heartbeat",),
    ]
    told.clear()
    driver.post(sid, "1")
    assert told == [("packet", Packet(Type.CLOSE)), ("close", "transport close")]


def test_the_life_of_a_session_by_websocket(serve: Serve) -> None:
    app, driver = serve()
    told = listen(app)
    websocket = opened(driver)
    websocket.send("4one", b"\x01")
    only_socket(app).send("two")
    driver.settle()
    assert websocket.take() == ["4two"]
    websocket.close()
    assert told == [
        ("packet", message("one")),
        ("packet", message(b"\x01")),
        ("packet_create", message("two")),
        ("flush", [message("two")]),
        ("drain",),
        ("close", "transport close"),
    ]


def test_upgrade(serve: Serve) -> None:
    """By the name of the transport; one that is withdrawn does not take over."""
    app, driver = serve()
    told = listen(app, "upgrading", "upgrade", "close")
    sid = driver.poll_handshake()
    driver.websocket(sid).send("2probe", "4too soon")
    assert told == [("upgrading", "websocket")]
    driver.websocket(sid).send("2probe", "5")
    assert told == [("upgrading", "websocket")] * 2 + [("upgrade", "websocket")]


@pytest.mark.parametrize(
    ("unasked", "reason"), [("3", None), ("2", "transport error"), ("4\x00", None)]
)
def test_only_an_answer_to_a_ping_is_a_heartbeat(
    serve: Serve, unasked: str, reason: str | None
) -> None:
    """Security rule 11: pongs that nobody has asked for are none."""
    app, driver = serve()
    told = listen(app, "heartbeat", "close")
    opened(driver).send(unasked)
    assert told == ([] if reason is None else [("close", reason)])


def test_of_one_session(serve: Serve) -> None:
    """Its own observers come first, and are told of no other; they can be forgotten."""
    app, driver = serve()
    told: Told = []
    first, second = opened(driver), opened(driver)
    one, other = app.sockets.values()
    function = one.on("packet", note(told, "own"))
    app.engine.on("packet", lambda session, packet: told.append(("all", packet)))
    first.send("4x")
    second.send("4y")
    assert told == [("own", message("x")), ("all", message("x")), ("all", message("y"))]
    told.clear()
    one.off("packet", function)
    other.off("packet", function)
    first.send("4x")
    assert told == [("all", message("x"))]


def test_registered_late_and_forgotten(serve: Serve) -> None:
    """Sessions that are there already are told of; nobody is told of what he has left."""
    app, driver = serve()
    websocket = opened(driver)
    told: Told = []
    noted = note(told, "packet")
    decorated = app.engine.on("packet")
    assert decorated(noted) is noted
    websocket.send("4x")
    app.engine.off("packet", noted)
    websocket.send("4y")
    assert [args[2] for args in told] == [message("x")]


def test_messages_arrive_as_without_observers(serve: Serve) -> None:
    """What is told of is handled all the same, in its order."""
    app, driver = serve()
    events = record(app)
    listen(app)
    websocket = opened(driver)
    websocket.send("4a", b"b", "4c", "4")
    assert events[1:] == [("message", "a"), ("message", b"b"), ("message", "c"), ("message", "")]
    websocket.send("9")
    assert events[-1] == ("close", "parse error")
    assert websocket.close_code is None
    websocket.take()
    assert websocket.close_code == 1002


@pytest.mark.parametrize("event", sorted(SESSION_EVENTS))
@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_an_observer_that_fails(serve: Serve, event: str, transport: str) -> None:
    """Security rule T1: it is logged, and nobody else notices."""
    app, driver = serve()
    events = record(app)
    failure = RuntimeError("broken")

    def fail(*args: object) -> None:
        raise failure

    app.engine.on(event, fail)
    sid = driver.poll_handshake()
    driver.get(sid)
    driver.advance(25.0)
    driver.post(sid, "3")
    if transport == "websocket":
        websocket = driver.websocket(sid)
        websocket.send("2probe", "5", "4x")
        only_socket(app).send("y")
        assert websocket.take()[-1] == "4y"
        websocket.close()
    else:
        driver.post(sid, "4x")
        only_socket(app).send("y")
        assert taken(driver.get(sid)).body == "4y"
        driver.post(sid, "1")
    assert events == [("connection",), ("message", "x"), ("close", "transport close")]
    logged = [error for _, error in driver.runtime.logged]
    assert set(logged) <= {failure}
    assert logged or (transport == "polling" and event in ("upgrading", "upgrade"))
    driver.runtime.logged.clear()


@pytest.mark.parametrize("event", sorted(SESSION_EVENTS))
@pytest.mark.parametrize("act", ["send", "close"])
@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_an_observer_that_acts(serve: Serve, event: str, act: str, transport: str) -> None:
    """Whatever it does to the session that it is told of, once, is done in good order."""
    app, driver = serve()
    acted: list[bool] = []

    def observe(session: Session, *args: object) -> None:
        if not acted:
            acted.append(True)
            socket = app.sockets.get(session.id)
            if socket is not None:
                socket.send("observed") if act == "send" else socket.close()

    app.engine.on(event, observe)
    sid = driver.poll_handshake()
    poll = driver.get(sid)
    driver.advance(25.0)
    driver.post(sid, "3")
    driver.connect().send(post_bytes(sid, "4x"))
    got = [poll.answer()]
    if transport == "websocket":
        websocket = driver.websocket(sid)
        if websocket.status == 101:
            websocket.send("2probe")
            got.append(driver.get(sid).answer())
            websocket.send("5", "4x")
            if sid in app.sockets:
                app.sockets[sid].send("y")
            driver.settle()
            heard = websocket.take()
            assert heard.count("4observed") <= 1
    elif sid in app.sockets:
        app.sockets[sid].send("y")
        got.append(driver.get(sid).answer())
    assert all(answer is None or answer.status in (200, 400) for answer in got)
    assert acted or event in ("upgrading", "upgrade", "close")
    if act == "close" and acted and event != "close":
        assert sid not in app.sockets


def test_nothing_is_told_after_the_end(serve: Serve) -> None:
    """What is sent to, and comes from, a session that is over is nobody's concern."""
    app, driver = serve()
    events = record(app)
    told = listen(app, "packet", "packet_create", "heartbeat")
    websocket = opened(driver)
    socket = only_socket(app)
    socket.on("packet", lambda packet: socket.close())
    websocket.send("4one", "4two")
    socket.send("three")
    assert told == [("packet", message("one"))]
    assert events == [("connection",), ("close", "forced close")]


def test_a_backlog_in_several_pieces(serve: Serve) -> None:
    """Feature row 33: it is flushed piece by piece, and drained with the last."""
    app, driver = serve()
    websocket = opened(driver)
    told: list[object] = []
    app.engine.on("flush", lambda session, packets: told.append(len(packets)))
    app.engine.on("drain", lambda session: told.append("drained"))
    websocket.pipe.writable = False
    for _ in range(5):
        only_socket(app).send("x" * 200_000)
    while pieces := websocket.pipe.wire.data_to_send():
        websocket.pipe.output += b"".join(pieces)
    driver.settle()
    assert told == [2, 2, 1, "drained"]
    assert len(websocket.take()) == 5


def test_with_a_socketio_server() -> None:
    """The engine of a Socket.IO server tells of the packets that its own are made of."""
    app, driver = socketio()
    told: Told = []
    app.engine.on("packet", lambda session, packet: told.append(("packet", packet)))
    app.engine.on("packet_create", lambda session, packet: told.append(("create", packet)))
    websocket = driver.websocket()
    websocket.send("40")
    (socket,) = app.sockets.values()
    socket.emit("data", b"\x01")
    assert told[0] == ("packet", message("0"))
    assert told[-2:] == [
        ("create", message('51-["data",{"_placeholder":true,"num":0}]')),
        ("create", message(b"\x01")),
    ]


@pytest.mark.parametrize(("event", "count"), sorted(SESSION_EVENTS.items()))
def test_how_they_are_called(serve: Serve, event: str, count: int) -> None:
    """A function with other arguments, or one to be awaited, is refused at once."""
    app, driver = serve()
    opened(driver)
    socket = only_socket(app)

    async def coroutine(*args: object) -> None:
        """Would have to be awaited."""

    for on in (app.engine.on, socket.on):
        with pytest.raises(TypeError, match=event):
            on(event, coroutine)
        with pytest.raises(ValueError, match="expected one of"):
            on("unknown", print)
    with pytest.raises(TypeError):
        app.engine.on(event, lambda: None)
    with pytest.raises(TypeError):
        socket.on(event, lambda a, b: None)
    assert ENGINE_EVENTS[event] == count + 1

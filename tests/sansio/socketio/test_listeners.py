"""Registering and forgetting handlers, on a namespace and on a socket (features 114 to 119)."""

from __future__ import annotations

from typing import Any

import pytest
from support.socketio import Member
from support.transcript import socketio

from sansocket.sansio.errors import EventRefused
from sansocket.sansio.socketio.socket import Socket


def test_once_is_called_for_one_event_only() -> None:
    app, driver = socketio()
    calls: list[Any] = []
    app.once("a", lambda socket, value: calls.append(value))
    member = Member(driver, app)
    member.emit("a", 1)
    member.emit("a", 2)
    assert calls == [1]
    member.socket.once("b", calls.append)
    member.emit("b", 3)
    member.emit("b", 4)
    assert calls == [1, 3]
    assert member.socket.event_names() == []


def test_off_forgets_one_handler_all_of_an_event_or_all() -> None:
    app, driver = socketio()
    member = Member(driver, app)
    calls: list[str] = []

    def first(*args: object) -> None:
        calls.append("first")

    def second(*args: object) -> None:
        calls.append("second")

    for event in ("a", "b"):
        for handler in (first, second):
            app.on(event, handler)
    app.off("a", first)
    member.emit("a")
    assert calls == ["second"]
    assert app.listeners("a") == [second]
    app.off("a")
    app.off("unknown", first)
    member.emit("a")
    assert calls == ["second"]
    assert app.event_names() == ["b"]
    app.off()
    member.emit("b")
    assert calls == ["second"]


def test_a_handler_may_forget_itself_while_it_is_called() -> None:
    app, driver = socketio()
    calls: list[str] = []

    @app.on("a")
    def first(socket: Socket) -> None:
        calls.append("first")
        app.off("a", first)

    @app.on("a")
    def second(socket: Socket) -> None:
        calls.append("second")

    member = Member(driver, app)
    member.emit("a")
    member.emit("a")
    assert calls == ["first", "second", "second"]


def test_any_comes_before_the_handlers_and_acknowledges_nothing() -> None:
    """An event that has no handler of its own stays unacknowledged."""
    app, driver = socketio()
    calls: list[tuple[Any, ...]] = []
    app.on_any(lambda socket, event, *args: calls.append(("any", event, *args)))
    app.prepend_any(lambda socket, event, *args: calls.append(("first", event)))
    app.on("a", lambda socket, value: calls.append(("a", value)))
    member = Member(driver, app)
    member.socket.on_any(lambda event, *args: calls.append(("socket", event)))
    assert member.ask("a", 1) == []
    assert calls == [("first", "a"), ("any", "a", 1), ("socket", "a"), ("a", 1)]
    assert member.ask("b") is None
    assert len(app.listeners_any()) == 2
    app.off_any(app.listeners_any()[0])
    member.socket.off_any()
    calls.clear()
    member.emit("c", 2)
    assert calls == [("any", "c", 2)]


def test_coroutine_functions_may_listen_to_any_event() -> None:
    app, driver = socketio()
    calls: list[str] = []

    @app.on_any
    async def every(socket: Socket, event: str, *args: object) -> None:
        calls.append(event)

    member = Member(driver, app)
    member.emit("a")
    assert calls == ["a"]


def test_a_socket_has_handlers_of_its_own() -> None:
    """They get the arguments alone, and what they return acknowledges."""
    app, driver = socketio()
    one, other = Member(driver, app), Member(driver, app)
    one.socket.on("a", lambda value: value + 1)
    assert one.ask("a", 1) == [2]
    assert other.ask("a", 1) is None
    reasons: list[str] = []
    one.socket.on("disconnecting", reasons.append)
    one.socket.on("disconnect", reasons.append)
    one.websocket.send("41")
    assert reasons == ["client namespace disconnect"] * 2


@pytest.mark.parametrize("event", ["connect_error", "newListener", "removeListener"])
def test_what_never_happens_cannot_be_listened_to(event: str) -> None:
    """Protocol rule 92: reserved names are no events of a client."""
    app, driver = socketio()
    with pytest.raises(ValueError, match=event):
        app.on(event)
    member = Member(driver, app)
    with pytest.raises(ValueError, match="connect"):
        member.socket.on("connect", print)


def test_a_handler_with_the_wrong_signature_is_refused_when_it_is_registered() -> None:
    app, _ = socketio()
    too_short: Any = lambda: None  # noqa: E731 - a type checker would see it
    with pytest.raises(TypeError, match="disconnect"):
        app.on("disconnect", too_short)
    with pytest.raises(TypeError, match="connect"):
        app.on("connect", too_short)
    no_function: Any = "no function"
    with pytest.raises(TypeError, match="function"):
        app.on("a", no_function)
    with pytest.raises(ValueError, match="concurrency"):
        app.on("a", print, concurrency=0)
    with pytest.raises(TypeError, match="middleware"):
        app.use(too_short)


def test_what_goes_out_is_told_for_every_recipient() -> None:
    """Feature 119; acknowledgements are no events."""
    app, driver = socketio()
    app.on("ask", lambda socket: "answer")
    one, other = Member(driver, app), Member(driver, app)
    seen: list[tuple[Any, ...]] = []
    app.on_any_outgoing(lambda socket, event, *args: seen.append((socket.id, event, *args)))
    app.emit("news", 1)
    assert sorted(seen) == sorted([(one.id, "news", 1), (other.id, "news", 1)])
    seen.clear()
    one.socket.on_any_outgoing(lambda event, *args: seen.append(("own", event)))
    one.socket.emit("a")
    other.socket.emit("b")
    assert seen == [(one.id, "a"), ("own", "a"), (other.id, "b")]
    seen.clear()
    assert one.ask("ask") == ["answer"]
    assert seen == []
    assert len(app.listeners_any_outgoing()) == 1
    app.off_any_outgoing()
    one.socket.off_any_outgoing()
    app.emit("news", 2)
    assert seen == []


def test_a_failing_outgoing_listener_is_reported_and_the_event_still_sent() -> None:
    app, driver = socketio()
    member = Member(driver, app)

    @app.on_any_outgoing
    def fails(socket: Socket, event: str) -> None:
        raise ValueError("no")

    app.emit("a")
    assert member.events() == [["a"]]
    [(_, error)] = driver.runtime.logged
    assert isinstance(error, ValueError)
    with pytest.raises(TypeError, match="coroutine"):

        @app.on_any_outgoing
        async def waits(socket: Socket, event: str) -> None:
            """Sending does not wait."""


def test_middleware_of_a_socket_lets_events_through_or_refuses_them() -> None:
    """Feature 116: the client that waits is told why, and the handler is not called."""
    app, driver = socketio()
    calls: list[object] = []
    app.on("a", lambda socket, value: calls.append(value))
    member = Member(driver, app)

    @member.socket.use
    async def check(event: str, args: tuple[object, ...]) -> None:
        if args == ("secret",):
            raise EventRefused("not yours", data={"code": 1})
        if args == ("broken",):
            raise RuntimeError("details")

    assert member.ask("a", "fine") == []
    assert member.ask("a", "secret") == [{"message": "not yours", "data": {"code": 1}}]
    assert driver.runtime.logged == []
    assert member.ask("a", "broken") == [{"message": "Internal server error"}]
    assert len(driver.runtime.logged) == 1
    assert calls == ["fine"]

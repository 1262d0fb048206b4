"""What the transcripts of an Engine.IO server share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sansocket.sansio.engineio.app import EngineApp, EngineSocket
from support.transcript import Answer, Driver, Pipe, WebSocketPipe, request_bytes

Serve = Callable[..., tuple[EngineApp, Driver]]

POLLING = "EIO=4&transport=polling"
WEBSOCKET = "EIO=4&transport=websocket"

UNKNOWN_SESSION = '{"code":1,"message":"Session ID unknown"}'
BAD_REQUEST = '{"code":3,"message":"Bad request"}'


def post_bytes(sid: str, body: str | bytes) -> bytes:
    """A whole POST."""
    return request_bytes("POST", query=f"{POLLING}&sid={sid}", body=body)


def masked(first: int, payload: bytes) -> bytes:
    """A client's frame of less than 126 bytes, with its first byte as given; its mask is zero."""
    return bytes([first, 0x80 | len(payload)]) + bytes(4) + payload


def text(message: str) -> bytes:
    """A client's text message of one frame."""
    return masked(0x81, message.encode())


def taken(pipe: Pipe) -> Answer:
    """The answer that has come."""
    answer = pipe.answer()
    assert answer is not None, "no answer has come"
    return answer


def record(app: EngineApp) -> list[tuple[Any, ...]]:
    """Note every event but its socket: its name, and its argument if it has one."""
    events: list[tuple[Any, ...]] = []

    @app.on("connection")
    def connection(socket: EngineSocket) -> None:
        events.append(("connection",))

    @app.on("message")
    def message(socket: EngineSocket, data: str | bytes) -> None:
        events.append(("message", data))

    @app.on("close")
    def close(socket: EngineSocket, reason: str) -> None:
        events.append(("close", reason))

    return events


def opened(driver: Driver) -> WebSocketPipe:
    """A WebSocket with a session of its own, of which the open packet was read."""
    websocket = driver.websocket()
    websocket.take()
    return websocket


def only_socket(app: EngineApp) -> EngineSocket:
    """The one socket that is open."""
    (socket,) = app.sockets.values()
    return socket


def nothing_is_left(app: EngineApp, driver: Driver) -> None:
    """Lose every connection, wait for the last timeout, and find nothing (security rule T13)."""
    for pipe in driver.pipes:
        pipe.lose()
    driver.runtime.cancel()
    driver.advance(app.config.linger_timeout + app.config.ping_interval + app.config.ping_timeout)
    assert not app.engine.sessions
    assert not app.sockets
    assert len(app.engine.timers) == 0
    assert not driver.runtime.logged

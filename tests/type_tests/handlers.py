"""What type checkers say of handlers, acknowledgements and options: checked, never run.

A line that is wrong has to be an error: both checkers report an ignore comment that nothing needs.
"""

from __future__ import annotations

from typing import Any, assert_type

from sansocket import asyncio_backend
from sansocket.trio_backend import Ack, EngineSession, JsonParser, Server, Socket

io = Server(ping_interval=25.0, transports=("websocket",), cors_allowed_origins="*")
asyncio_backend.Server(max_payload=1000)


@io.on("connect")
async def connected(socket: Socket) -> None:
    socket.join("lobby")
    socket.emit("a", 1, ack=lambda *answer: None)
    assert_type(socket.rooms, frozenset[str])
    assert_type(await socket.call("a"), Any)
    assert_type(await io.to("lobby").timeout(5).emit_with_ack("a"), list[Any])


@io.on("event")
def event(socket: Socket, text: str, number: int = 0, *rest: object, ack: Ack | None = None) -> str:
    return text


@io.on("disconnect")
def gone(socket: Socket, reason: str) -> None: ...


@io.use
async def middleware(socket: Socket, auth: dict[str, Any]) -> None: ...


# A decorated handler stays what it was.
def calls_handlers(socket: Socket) -> None:
    assert_type(event(socket, "text"), str)


@io.on("connect")  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
def connected_with_more(socket: Socket, auth: dict[str, Any]) -> None: ...


@io.on("disconnect")  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
def gone_for_a_number(socket: Socket, reason: int) -> None: ...


@io.on("event")  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
def no_socket() -> None: ...


@io.on("event")  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
def another_socket(socket: int) -> None: ...


@io.use  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
def middleware_for_a_number(socket: Socket, auth: int) -> None: ...


Server(ping_interval="25")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Server(pingInterval=25)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Server(transports=("carrier pigeon",))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
io.to(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
io.emit(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
io.emit("a", ack="b")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
io.of(3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]


# Values of one's own.
def write(value: Any) -> object:
    raise TypeError


Server(parser=JsonParser(default=write, revive=lambda value: value.get("x", value)))
JsonParser(default="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
JsonParser(revive=len, other=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def shows_its_session(socket: Socket) -> None:
    assert_type(socket.conn, EngineSession)
    assert_type(socket.conn.backlog, int)
    socket.conn.id  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnusedExpression]  # noqa: B018

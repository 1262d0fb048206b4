"""The server that the tests of `connect` talk to: `sansocket serve command_line.echo_server:io`."""

from __future__ import annotations

from typing import Any

from sansocket.asyncio_backend import ConnectionRefused, Server, Socket

io = Server(ping_interval=1.0, ping_timeout=1.0)
admin = io.of("/admin")
packed = Server(parser="msgpack")


@io.use
@admin.use
def authenticate(socket: Socket, auth: dict[str, Any]) -> None:
    if auth.get("token") == "wrong":
        raise ConnectionRefused("not authorized", data={"code": 401})


@io.on("echo")
@admin.on("echo")
@packed.on("echo")
def echo(socket: Socket, *args: object) -> tuple[object, ...]:
    socket.emit("echo back", *args)
    return args


@io.on("seen")
def seen(socket: Socket) -> tuple[str, object, str | None]:
    """What has come with the handshake."""
    handshake = socket.handshake
    return socket.transport, handshake.auth, handshake.headers.get("x-test")


@io.on("ask")
async def ask(socket: Socket, text: str) -> None:
    socket.emit("answered", await socket.call("question", text, timeout=60))


@io.on("silent")
async def silent(socket: Socket) -> None:
    """Never acknowledged in time: the client has gone before."""
    await socket.call("nothing", timeout=60)


@io.on("bye")
def bye(socket: Socket) -> None:
    for number in range(20):
        socket.emit("last", number)
    socket.disconnect()


@io.on("steer")
def steer(socket: Socket) -> None:
    """What a terminal would obey (security rule 34)."""
    socket.emit("\x1b[2Jtitle", "\x1b]0;owned\x07")

"""The same as for_clients.py with python-socketio on uvicorn; it prints its port."""

from __future__ import annotations

import argparse
import importlib
import socket
from typing import Any
from urllib.parse import parse_qs

HOST = "127.0.0.1"

# Neither of them has types.
socketio: Any = importlib.import_module("socketio")
uvicorn: Any = importlib.import_module("uvicorn")


def offer(io: Any) -> None:
    """Register all that the tests ask for."""
    environs: dict[str, dict[str, str]] = {}

    async def connect(sid: str, environ: dict[str, str], auth: dict[str, Any] | None) -> None:
        environs[sid] = environ
        if (auth or {}).get("token") == "wrong":
            raise socketio.exceptions.ConnectionRefusedError("not authorized", {"code": 401})

    async def echo(sid: str, *args: object) -> None:
        await io.emit("echo back", args, to=sid)

    async def acknowledge(sid: str, *args: object) -> tuple[object, ...]:
        return args

    async def ask(sid: str, value: object) -> None:
        async def answered(*values: object) -> None:
            await io.emit("answer", [*values], to=sid)

        await io.emit("question", value, to=sid, callback=answered)

    async def handshake(sid: str) -> tuple[str | None, ...]:
        environ = environs[sid]
        lang = parse_qs(environ["QUERY_STRING"]).get("lang", [None])[0]
        return environ.get("HTTP_X_CLIENT"), lang, environ.get("HTTP_COOKIE")

    async def provoke(sid: str, cause: str) -> None:
        engine = io.manager.eio_sid_from_sid(sid, "/")
        if cause in ("disconnect", "disconnect and close"):
            await io.disconnect(sid)
        elif cause == "send garbage":
            await io.eio.send(engine, "9")
        elif cause == "close the session":
            await io.eio.disconnect(engine)
        else:
            await io.eio.disconnect()

    async def welcome(sid: str, environ: object, auth: object) -> None:
        await io.emit("welcome", "/chat", to=sid, namespace="/chat")

    async def echo_in_chat(sid: str, *args: object) -> None:
        await io.emit("echo back", args, to=sid, namespace="/chat")

    for handler in (connect, echo, acknowledge, ask, handshake, provoke):
        io.on(handler.__name__, handler)
    io.on("connect", welcome, namespace="/chat")
    io.on("echo", echo_in_chat, namespace="/chat")


def main() -> None:
    """Read the arguments, and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("ping_interval", type=float)
    parser.add_argument("ping_timeout", type=float)
    given = parser.parse_args()
    io = socketio.AsyncServer(
        async_mode="asgi",
        cookie="io",
        ping_interval=given.ping_interval,
        ping_timeout=given.ping_timeout,
    )
    offer(io)
    config = uvicorn.Config(
        socketio.ASGIApp(io),
        log_level="error",
        access_log=False,
        lifespan="off",
        ws="wsproto",
        ws_ping_interval=None,
    )
    with socket.create_server((HOST, given.port)) as listener:
        print(listener.getsockname()[1], flush=True)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()

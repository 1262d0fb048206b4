"""What type checkers say of a client: checked, never run.

A line that is wrong has to be an error: both checkers report an ignore comment that nothing needs.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, assert_type

from sansocket import asyncio_backend
from sansocket.trio_backend import Client, ClientSocket, Event, connect


async def program(context: ssl.SSLContext) -> None:
    async with connect("http://server.example", auth={"token": "secret"}) as socket:
        assert_type(socket, ClientSocket)
        assert_type(socket.id, str | None)
        assert_type(await socket.call("event", 1, b"2", timeout=5), Any)
        async for event in socket:
            assert_type(event, Event)
            event.ack("seen")

    async with asyncio_backend.connect(
        "https://server.example",
        namespace="/chat",
        transports=("websocket",),
        reconnection_delay=0.5,
        proxy="http://127.0.0.1:3128",
        ssl_context=context,
        retry=True,
    ) as socket:
        assert_type(socket, ClientSocket)

    async with Client("http://server.example", retries=3, ack_timeout=5) as client:
        assert_type(client, Client)
        assert_type(await client.connect("/chat", auth=lambda: {"token": "a"}), ClientSocket)

    client.set_options(reconnection_delay=1.5, reconnection_attempts=None)
    client.set_options(retries=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Client("http://server.example", transport_options={"websocket": {"extra_headers": {"X": "y"}}})
    Client("", transport_options={"polling": {"path": "/"}})  # type: ignore[typeddict-unknown-key]  # pyright: ignore[reportArgumentType]

    async def where() -> str:
        return "http://server.example"

    connect(where, extra_headers=lambda: {"Authorization": "Bearer a"})
    connect(lambda: 1)  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType]
    connect(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    connect("", timeout="soon")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    connect("", timeuot=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    connect("", ssl_context=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Client("", proxy=3128)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Client("", transports=("udp",))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def listeners(socket: ClientSocket) -> None:
    @socket.on("event")
    def event(text: str, number: int = 0) -> str:
        return text

    assert_type(event("text"), str)

    @socket.once("event")
    def first(text: str) -> None: ...

    assert_type(socket.client.engine.once("packet", first)("text"), None)
    assert_type(socket.client.once("packet")(first)("text"), None)
    assert_type(socket.client.listeners("open"), list[Callable[..., Any]])
    socket.client.once(1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]

    @socket.on("disconnect")
    async def gone(reason: str) -> None: ...

    socket.on("connect", lambda: None)
    assert_type(await socket.receive(timeout=5), Event)
    await socket.call("event", timeout="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

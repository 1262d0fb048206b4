"""A handler has a task, from its first line on: what belongs to a task works inside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import trio
from backends.hosts import Backend, Host
from backends.test_backends import join

from sansocket.sansio.socketio.socket import Socket

Serve = Callable[..., Host]
NAME: ContextVar[str] = ContextVar("NAME", default="none")


async def expires() -> str:
    """Wait for what never comes, within a scope that was entered before the first wait."""
    if trio.lowlevel.in_trio_run():
        before: object = trio.lowlevel.current_task()
        with trio.move_on_after(0) as scope:
            await trio.sleep_forever()
        assert scope.cancelled_caught
        assert trio.lowlevel.current_task() is before
        return "expired"
    before = asyncio.current_task()
    assert before is not None
    try:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()
    except TimeoutError:
        assert asyncio.current_task() is before
        return "expired"
    return "waited"


def test_scopes_and_contexts(serve: Serve, backend: Backend) -> None:
    """For each of many at once, whether those before it have waited or not."""
    host = serve()
    failed: list[Any] = []

    @host.io.on("waits")
    async def waits(socket: Socket, number: int) -> tuple[str, str]:
        before = NAME.get()
        NAME.set(f"waits {number}")
        outcome = await expires()
        assert NAME.get() == f"waits {number}"
        return before, outcome

    @host.io.on("never waits")
    async def never_waits(socket: Socket, number: int) -> str:
        before = NAME.get()
        NAME.set(f"never waits {number}")
        return before

    host.io.on_error(lambda error, *about: failed.append(error))
    host.start()
    clients = [join(host)[0] for _ in range(3)]
    for number in range(20):
        for client in clients:
            client.send(f'421["never waits",{number}]', f'422["waits",{number}]')
    for _ in range(20):
        for client in clients:
            assert client.receive() == '431["none"]'
            assert client.receive() == '432["none","expired"]'
    assert failed == []

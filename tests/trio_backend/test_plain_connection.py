"""Connections without a task of their own, and the same where there is no epoll."""

from __future__ import annotations

from contextvars import ContextVar

import pytest
from support.trio_client import HOST, Books, polling, websocket
from support.trio_server import echo_server
from trio.testing import wait_all_tasks_blocked

from sansocket.trio_backend import Socket

WHO: ContextVar[str] = ContextVar("WHO", default="nobody")


@pytest.fixture(params=[True, False], ids=["epoll", "tasks"])
def ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """With one task that reads from all, and with one for each, as elsewhere than on Linux."""
    if not request.param:
        monkeypatch.setattr("sansocket.trio_backend.home.AVAILABLE", False)
    return bool(request.param)


async def test_both_ways(ways: bool) -> None:
    """What is said is the same, and only one way keeps tasks for connections."""
    io = echo_server()
    async with io.listening(HOST, 0) as bound:
        await wait_all_tasks_blocked()
        books = Books(io)
        async with polling(bound.port) as poller:
            await poller.join()
            assert (await poller.post('42["echo",1]')).body == "ok"
            assert await poller.get() == '42["echo",1]'
            await wait_all_tasks_blocked()
            _, before, _ = books.before
            _, now, _ = books.held()
            assert now - before == (0 if ways else 2)


async def test_what_one_client_sets_is_not_for_others(ways: bool) -> None:
    """Plain handlers of different clients run in contexts of their own."""
    io = echo_server()
    gone: list[str] = []

    @io.on("set")
    def remember(socket: Socket, name: str) -> str:
        WHO.set(name)
        return "set"

    @io.on("get")
    def tell(socket: Socket) -> str:
        return WHO.get()

    @io.on("disconnect")
    def left(socket: Socket, reason: str) -> None:
        gone.append(WHO.get())

    async with io.listening(HOST, 0) as bound:
        async with websocket(bound.port) as ann, websocket(bound.port) as bob:
            for client in (ann, bob):
                await client.join()
            await ann.emit("set", "ann", ack=1)
            assert await ann.receive() == '431["set"]'
            await bob.emit("get", ack=2)
            assert await bob.receive() == '432["nobody"]'
            await ann.emit("get", ack=3)
            assert await ann.receive() == '433["ann"]'
        await wait_all_tasks_blocked()
    assert sorted(gone) == ["ann", "nobody"]

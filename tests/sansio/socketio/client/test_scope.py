"""A client in a block: sansio/socketio/client/scope.py."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from support.fake_engine import Dialer
from support.runtime import Task

from sansocket.sansio.errors import Disconnected, LocalProtocolError
from sansocket.sansio.socketio.client.scope import Connecting, ScopedClient


class Runtime(Dialer):
    """One that notes for how long it runs."""

    def __init__(self, client: ScopedClient) -> None:
        super().__init__()
        self.happened: list[str] = []
        self._client = client

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Note it."""
        self.happened.append("begun")
        try:
            yield
        finally:
            self.happened.append("ended")
            self._client.abandon()


class Scoped(ScopedClient):
    """One that runs nowhere."""

    runtime_type = Runtime


def client_and_runtime() -> tuple[Scoped, Runtime]:
    """A client, and where it runs."""
    client = Scoped("http://server.example/chat")
    assert isinstance(client.runtime, Runtime)
    return client, client.runtime


async def enter_twice(client: Scoped) -> None:
    """The second time is wrong."""
    async with client:
        pass
    with pytest.raises(LocalProtocolError, match="runs once"):
        await client.__aenter__()


def test_it_runs_once() -> None:
    """What has been closed is closed for good."""
    client, runtime = client_and_runtime()
    assert Task(runtime, enter_twice(client)).result is None
    assert runtime.happened == ["begun", "ended"]


def test_it_connects_in_its_block_only() -> None:
    """The caller's fault, and nothing has changed."""
    client, _ = client_and_runtime()
    socket = client.socket()
    with pytest.raises(LocalProtocolError, match="async with"):
        socket.connect()
    assert not client.members


def test_a_socket_that_cannot_be_connected_ends_its_client() -> None:
    """Nobody is there to leave the block that was not entered."""
    client, runtime = client_and_runtime()
    connecting = Connecting(client, None, {"token": 1}, retry=False)
    task = Task(runtime, connecting.__aenter__())
    socket = client.sockets["/chat"]
    assert socket.auth == {"token": 1}
    socket.disconnect()
    runtime.run()
    with pytest.raises(Disconnected):
        _ = task.result
    assert runtime.happened == ["begun", "ended"]

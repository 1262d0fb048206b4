"""`allow_request` under a loop that begins a task at once (eager tasks of asyncio)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from support.engineio import nothing_is_left
from support.runtime import LoopFree, counting_entropy
from support.transcript import Driver, request_bytes, websocket_request_bytes

from sansocket.sansio.engineio.app import EngineApp
from sansocket.sansio.engineio.http import Request


class Eager(LoopFree):
    """A loop that begins a task at once: one that does not wait is over before it is known."""

    def workers(self, home: object) -> None:
        """Nobody is lent."""

    def spawn_cancellable(
        self,
        function: Callable[[], Coroutine[Any, Any, None]],
        home: object,
        done: Callable[[], None],
    ) -> Callable[[], None]:
        """Step it once."""
        cancel = super().spawn_cancellable(function, home, done)
        self.run()
        return cancel


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize("verdict", [True, "no"])
def test_decided_at_once_by_a_coroutine(transport: str, verdict: bool | str) -> None:
    async def allow(request: Request) -> bool | str:
        return verdict

    runtime = Eager()
    app = EngineApp(runtime, entropy=counting_entropy(), path="/socket.io/", allow_request=allow)
    driver = Driver(app, runtime)
    pipe = driver.connect()
    query = f"EIO=4&transport={transport}"
    polling = transport == "polling"
    pipe.send(
        request_bytes("GET", query=query) if polling else websocket_request_bytes(query=query)
    )
    status = int(bytes(pipe.output).split(b" ")[1])
    assert status == (403 if verdict == "no" else 200 if polling else 101)
    nothing_is_left(app, driver)

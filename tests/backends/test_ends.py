"""`disconnecting` and `disconnect` come exactly once for every socket, however its server ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from backends.hosts import Gate, Host
from backends.test_backends import join

from sansocket.sansio.socketio.socket import Socket

Serve = Callable[..., Host]
ENDS = ["disconnecting", "disconnect"]


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("on_disconnect", ["finish", "cancel"])
def test_a_cancelled_server_tells_of_every_end(
    serve: Serve, waits: bool, on_disconnect: str
) -> None:
    """Also where a handler runs, which is cancelled; events that wait behind it are not handled."""
    host = serve(on_disconnect=on_disconnect)
    gate, told = Gate(host.io), list[Any]()

    @host.io.on("work")
    async def work(socket: Socket, number: int) -> None:
        try:
            told.append(f"{number} begins")
            await gate.wait()
        finally:
            told.append(f"{number} is cancelled")

    for name in ENDS:
        if waits:

            async def later(socket: Socket, reason: str, name: str = name) -> None:
                told.append(name)

            host.io.on(name, later)
        else:
            host.io.on(name, lambda socket, reason, name=name: told.append(name))
    host.start()
    (busy, _), _ = join(host), join(host)
    busy.send('42["work",0]', '42["work",1]')
    host.see(lambda: told, ["0 begins"])
    host.stop()
    assert told.count("0 is cancelled") == 1
    assert [told.count(name) for name in ENDS] == [2, 2]
    assert told.index("0 is cancelled") < len(told) - 2
    assert "1 begins" not in told or on_disconnect == "cancel"


@pytest.mark.parametrize("concurrency", [1, 3])
def test_after_the_last_of_several(serve: Serve, concurrency: int) -> None:
    """The end comes after all handlers that were cancelled."""
    host = serve()
    host.io.concurrency = concurrency
    gate, told = Gate(host.io), list[Any]()

    @host.io.on("work")
    async def work(socket: Socket) -> None:
        told.append("begins")
        try:
            await gate.wait()
        finally:
            told.append("cancelled")

    host.io.on("disconnect", lambda socket, reason: told.append("disconnect"))
    host.start()
    client, _ = join(host)
    client.send(*['42["work"]'] * 3)
    host.see(lambda: told, ["begins"] * concurrency)
    host.stop()
    assert told[concurrency:] == ["cancelled"] * concurrency + ["disconnect"]

"""Clients with `retries` whose server is killed under load: nothing is lost, and order is kept.

How long it takes is printed, and held against nothing.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from clients.loops import Loop, on_every_loop

from benchmarks.recovery.crowd import Crowd, Load
from benchmarks.recovery.mortal import Mortal
from benchmarks.recovery.report import lines


@pytest.mark.parametrize("server", ["socket.io", "trio", "asyncio"])
@on_every_loop
async def test_nothing_is_lost_when_the_server_dies(
    loop: Loop,
    server: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Rules 84 and 88, with 200 clients over polling, WebSocket and the upgrade.

    The server's journal has each event once, in the order of sending; each was acknowledged
    once. Some were received again: they were under way when the server died.
    """
    loop.hurry()
    crowd = Crowd()
    with Mortal(server, tmp_path / "journal") as mortal:
        await crowd.run(loop.client, mortal, Load(clients=200, events=6, outages=2))
        received = mortal.received()
    with capsys.disabled():
        print("", *lines(request.node.name, crowd), sep="\n")
    assert crowd.faults(received) == []
    assert len(crowd.recoveries) == 2
    for recovery in crowd.recoveries:
        assert recovery.under_way > 0
        assert min(recovery.connected) > 0  # every one of them was connected anew
    assert crowd.again > 0
    for member in crowd.members:
        assert not member.socket.client.links

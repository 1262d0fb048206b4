"""The example of a client: a guest in the chat, which is there when its server comes back."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import trio
from examples.conftest import EXAMPLES, free_port
from interop.programs import Program

from sansocket.trio_backend import connect


@pytest.mark.parametrize("backend", ["trio", "asyncio"])
def test_it_greets_and_leaves(backend: str, tmp_path: Path) -> None:
    """Joining, an event both ways, a lost connection, and a good end."""
    port = free_port()

    def run(name: str, *arguments: str) -> Program:
        command = [sys.executable, "-W", "error", str(EXAMPLES / f"{name}_{backend}.py")]
        return Program([*command, str(port), *arguments], tmp_path / name)

    server = run("chat")
    trio.run(come, port, "Early")
    guest = run("client", "Guest")
    try:
        assert guest.line() == "here: Guest\n"
        server.restart()
        assert guest.line().startswith("lost: transport ")
        assert guest.line() == "here: Guest\n"
        assert trio.run(come, port, "Ada") == ["hello, Ada"]
        assert guest.line() == "Ada: bye\n"
        assert guest.ended() == 0
    finally:
        guest.stop()
        server.stop()
    assert guest.complaints() == server.complaints() == ""


async def come(port: int, name: str) -> list[str]:
    """Join the lobby; with somebody there, be greeted, and say "bye"."""
    heard: list[str] = []
    url = f"http://127.0.0.1:{port}"
    async with connect(url, auth={"name": name}, retry=True, reconnection_delay=0.05) as socket:
        people = (await socket.call("join", "lobby", timeout=10))["value"]
        if len(people) > 1:
            async for event in socket:
                heard.append(event.args[2])
                break
            await socket.call("message", "lobby", "bye", timeout=10)
    return heard

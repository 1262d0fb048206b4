"""permessage-deflate with npm's `ws` as the client (deflate.mjs), on both backends."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import trio
from interop.programs import HERE, PATIENCE, node

from sansocket import asyncio_backend, trio_backend
from sansocket.sansio.engineio.app import EngineApp, EngineSocket

AGREED = "permessage-deflate"
TEXT, SMALL, BYTES = 12_001, 6, 20_000


def offer(app: EngineApp) -> None:
    """Send back whatever comes."""
    app.on("message", EngineSocket.send)


async def on_trio(options: dict[str, Any]) -> bytes:
    """What the client printed."""
    server = trio_backend.EngineServer(**options)
    offer(server)
    async with server.listening("127.0.0.1", 0) as bound:
        command = [*node(HERE / "deflate.mjs"), str(bound.port)]
        with trio.fail_after(PATIENCE):
            done = await trio.run_process(command, capture_stdout=True)
    return done.stdout


async def on_asyncio(options: dict[str, Any]) -> bytes:
    """What the client printed."""
    server = asyncio_backend.EngineServer(**options)
    offer(server)
    async with server.listening("127.0.0.1", 0) as bound:
        process = await asyncio.create_subprocess_exec(
            *node(HERE / "deflate.mjs"), str(bound.port), stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(PATIENCE):
            output, _ = await process.communicate()
    return output


@pytest.mark.parametrize("backend", ["trio", "asyncio"])
def test_deflate(backend: str) -> None:
    """Feature row 10, security rules T4 and 8: agreed to, used, and no bomb gets in by it."""
    options: dict[str, Any] = {"per_message_deflate": True, "max_payload": 100_000}
    run = on_trio if backend == "trio" else on_asyncio
    output = trio.run(run, options) if backend == "trio" else asyncio.run(run(options))
    seen = [tuple(json.loads(line).values()) for line in output.splitlines()]
    assert seen == [
        ("offered", AGREED, [TEXT, SMALL, BYTES, TEXT], True, 1005),
        ("eager", AGREED, [TEXT, SMALL, BYTES, SMALL], True, 1005),
        ("small window", AGREED, [TEXT], True, 1005),
        ("our window", "", [TEXT], False, 1005),
        ("not offered", "", [TEXT], False, 1005),
        ("exactly", AGREED, [100_000], True, 1005),
        ("bomb", AGREED, [], True, 1009),
    ]


def test_off_by_default() -> None:
    """Security rule 8."""
    seen = [json.loads(line) for line in trio.run(on_trio, {"max_payload": 100_000}).splitlines()]
    assert len(seen) == 7
    assert {each["agreed"] for each in seen} == {""}

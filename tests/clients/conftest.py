"""The servers of the client tests: npm's, python-socketio's, and our own two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from clients.programs import SERVERS, ServerProgram, program
from support.tls import Contexts, make_contexts


@pytest.fixture(scope="session", params=SERVERS)
def long_lived(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProgram]:
    """One of each, for all tests."""
    server = program(request.param, tmp_path_factory.mktemp("server") / "stderr")
    yield server
    server.close()


@pytest.fixture
def server(long_lived: ServerProgram) -> ServerProgram:
    """A server that runs."""
    if not long_lived.runs:
        long_lived.restart()
    return long_lived


@pytest.fixture(scope="session")
def our_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProgram]:
    """One of ours, where it is no matter which."""
    server = program("asyncio", tmp_path_factory.mktemp("server") / "stderr")
    yield server
    server.close()


@pytest.fixture(params=["polling", "websocket", "upgrade"])
def way(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Options for polling alone, WebSocket alone, or polling that is upgraded."""
    return {} if request.param == "upgrade" else {"transports": (request.param,)}


@pytest.fixture(scope="session")
def tls() -> Contexts:
    """TLS on both sides."""
    return make_contexts("127.0.0.1")

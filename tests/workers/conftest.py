"""Servers in several workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from workers.program import Served, discard, end, serve

SETUPS = {
    "trio": ("echo:trio_server", "--workers", "2"),
    "asyncio": ("echo:on_asyncio", "--workers", "3"),
    "uvloop": ("echo:asyncio_server", "--workers", "2", "--uvloop"),
}


@pytest.fixture(scope="module", params=SETUPS)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A server in two or three workers, for all tests of a module; it complains of nothing."""
    name: str = request.param
    served = serve(tmp_path_factory.mktemp(name), *SETUPS[name])
    yield served
    end(served)
    assert served.complaints() == ""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Served]:
    """One that a test has for itself, and may maltreat."""
    served = serve(tmp_path, *SETUPS["trio"])
    yield served
    discard(served)

"""A server by its name: module:attribute."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sansocket import asyncio_backend, trio_backend
from sansocket.workers.application import ApplicationError, is_asyncio, is_trio, load

SOURCE = """
from sansocket import asyncio_backend, trio_backend

io = trio_backend.Server()
engine = asyncio_backend.EngineServer()

class House:
    io = io

def make():
    return trio_backend.EngineServer()

def make_nothing():
    return None

def with_arguments(port):
    return io

def broken():
    return len(3)
"""


@pytest.fixture(autouse=True)
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Modules of an application that can be imported."""
    (tmp_path / "house.py").write_text(SOURCE)
    (tmp_path / "needs_more.py").write_text("import not_there_at_all\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("house", "needs_more"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("house:io", trio_backend.Server),
        ("house:House.io", trio_backend.Server),
        ("house:make", trio_backend.EngineServer),
        ("house:engine", asyncio_backend.EngineServer),
    ],
)
def test_a_server_or_what_makes_one(name: str, kind: type) -> None:
    server = load(name)
    assert type(server) is kind
    assert is_trio(server) is (kind.__module__ == trio_backend.Server.__module__)
    assert is_asyncio(server) is not is_trio(server)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("house", "not of the form module:attribute"),
        (":io", "not of the form module:attribute"),
        ("house:", "not of the form module:attribute"),
        ("cottage:io", "there is no module 'cottage'"),
        ("house.roof:io", "there is no module 'house.roof'"),
        ("house:none", "'house' has no attribute 'none'"),
        ("house:House.none", "'house' has no attribute 'House.none'"),
        ("house:SOURCE", "'house' has no attribute 'SOURCE'"),
        ("house:trio_backend", "house:trio_backend is no server of sansocket, but a builtins."),
        ("house:make_nothing", "house:make_nothing returns no server of sansocket"),
        ("house:with_arguments", "house:with_arguments cannot be called so: "),
    ],
)
def test_a_name_that_leads_to_none(name: str, complaint: str) -> None:
    with pytest.raises(ApplicationError) as raised:
        load(name)
    assert complaint in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_the_application_itself_raises_comes_out() -> None:
    """A traceback into its own code tells more than we could."""
    with pytest.raises(ModuleNotFoundError, match="not_there_at_all"):
        load("needs_more:io")
    with pytest.raises(TypeError, match="len"):
        load("house:broken")

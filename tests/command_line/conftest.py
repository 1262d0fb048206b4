"""A running demonstration for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line.program import Program, start


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """Start `sansocket serve` on a free port; what it complains of fails the test."""
    program = start(tmp_path)
    yield program
    program.process.kill()
    program.process.communicate()
    assert program.complaints() == ""

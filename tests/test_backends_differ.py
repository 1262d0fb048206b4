"""What both backends need stands in the core: they share names, and hardly a line of code.

Hand-written twins drift apart, and a mend is made in one of them only. What needs no `await` has
its one place in `sansio/`; `sansio/backend.py` is all that a backend takes from there.
"""

from __future__ import annotations

import ast
import inspect
import io
import tokenize
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final

import pytest

from sansocket import asyncio_backend, trio_backend
from sansocket.sansio import public

ROOT: Final = Path(__file__).parents[1]
LIMIT: Final = 0.15
"""The part of its lines that a backend may have in common with the other."""

BACKENDS: Final = ("trio_backend", "asyncio_backend")


def code_lines(source: str) -> list[str]:
    """The lines without docstrings, comments and blanks, and without what they begin with."""
    docstrings = {
        number
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    lines = dict(enumerate(source.splitlines(), 1))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            number, start = token.start
            lines[number] = lines[number][:start]
    stripped = {number: line.strip() for number, line in lines.items()}
    return [line for number, line in stripped.items() if line and number not in docstrings]


def code_of(folder: str) -> list[str]:
    """The code lines of a backend, as a whole."""
    files = sorted(ROOT.joinpath(folder).rglob("*.py"))
    return [line for file in files for line in code_lines(file.read_text())]


def common_lines(one: list[str], other: list[str]) -> list[str]:
    """The lines of the longest matching blocks."""
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return [line for start, _, size in blocks for line in one[start : start + size]]


@pytest.mark.parametrize(("backend", "other"), [BACKENDS, BACKENDS[::-1]])
def test_they_share_few_lines(backend: str, other: str) -> None:
    """Architecture: what the core does not own, every backend copies."""
    code = code_of(backend)
    common = common_lines(code, code_of(other))
    assert len(code) > 100
    assert len(common) <= LIMIT * len(code), "\n".join(
        [f"{len(common)} of {len(code)} lines of {backend} stand in {other} too:", *common]
    )


def test_a_copy_would_be_seen() -> None:
    """The measure itself: a copy with other comments and another indentation is a copy."""
    code = '"""A docstring."""\nimport this\n\n\ndef f():\n    # why\n    return 1  # what\n'
    copy = (
        'if True:\n    import this\n\n    def f():\n        """What it does."""\n        return 1\n'
    )
    assert code_lines(code) == ["import this", "def f():", "return 1"]
    assert common_lines(code_lines(code), code_lines(copy)) == code_lines(code)
    assert common_lines(["a", "b", "c"], ["c", "a", "b"]) == ["a", "b"]


@pytest.mark.parametrize("backend", [trio_backend, asyncio_backend])
def test_they_offer_the_same_names(backend: object) -> None:
    """api.md: a program moves from one to the other by changing its import."""
    offered = {
        name
        for name, value in vars(backend).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert offered == {*public.__all__, "Client", "EngineServer", "Server", "connect"}

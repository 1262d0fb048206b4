"""What both backends offer beside their servers: sansio/public.py."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

from sansocket.sansio import public


def test_all_that_is_imported_is_offered() -> None:
    """A name that was forgotten in `__all__` would be missing in both backends."""
    tree = ast.parse(Path(inspect.getsourcefile(public) or "").read_text())
    imported = [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
    ]
    assert sorted(public.__all__) == sorted(imported)


def test_every_name_is_documented() -> None:
    """What an application imports says what it is."""
    undocumented = [name for name in public.__all__ if not inspect.getdoc(getattr(public, name))]
    assert not undocumented

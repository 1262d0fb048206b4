"""Importing the core brings in no event loop, no socket and no thread.

`tests/test_architecture.py` reads the imports of the core's own modules; this test sees what
they and the libraries below them really load, in a fresh interpreter.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

IO_MODULES = {"asyncio", "trio", "socket", "ssl", "selectors", "threading", "_socket", "_ssl"}

# msgspec takes `get_type_hints` from typing_extensions, which on Python < 3.13 finds the type
# of a capsule in the C half of `socket`. It opens nothing, and `socket` itself is not loaded.
HARMLESS = {"_socket"}

LOADED_BY = """
import importlib, pkgutil, sys
before = set(sys.modules)
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(getattr(package, "__path__", ()), package.__name__ + "."):
    if sys.argv[2] == "all":
        importlib.import_module(module.name)
print(*(set(sys.modules) - before))
"""


def loaded_by(name: str, *, submodules: bool = False) -> set[str]:
    """Return the modules that `import name` loads in a fresh interpreter."""
    arguments = [sys.executable, "-I", "-c", LOADED_BY, name, "all" if submodules else ""]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_core_loads_no_io() -> None:
    """Every module of the core, one by one: nothing that waits, opens or runs beside."""
    loaded = loaded_by("sansocket.sansio", submodules=True)
    assert "sansocket.sansio.errors" in loaded
    assert sorted(loaded & IO_MODULES - HARMLESS) == []


@pytest.mark.parametrize("library", ["h11", "wsproto", "orjson", "msgspec", "msgspec.msgpack"])
def test_libraries_below_load_no_io(library: str) -> None:
    """Named one by one, so that a new release which breaks the rule is found by its name."""
    assert sorted(loaded_by(library) & IO_MODULES - HARMLESS) == []


def test_can_see_io() -> None:
    """The probe finds what it looks for: Trio loads all of it."""
    assert loaded_by("trio") >= {"trio", "socket", "ssl", "selectors", "threading"}

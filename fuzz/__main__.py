"""Runs one target: `python -m fuzz NAME [LIBFUZZER OPTIONS]`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def main() -> None:
    """Import the target with coverage switched on, and fuzz it."""
    names = sorted(path.name for path in (HERE / "corpus").iterdir())
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        sys.exit(f"usage: python -m fuzz {{{','.join(names)}}} [libFuzzer options]")
    name, options = sys.argv[1], sys.argv[2:]
    atheris: Any = importlib.import_module("atheris")  # it has no types
    with atheris.instrument_imports(include=["sansocket"]):
        target = importlib.import_module(f"fuzz.{name}")
    # New inputs go into the first folder; the corpus that is kept is read only.
    found = HERE / "found" / name
    found.mkdir(parents=True, exist_ok=True)
    atheris.Setup([name, *options, str(found), str(HERE / "corpus" / name)], target.one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

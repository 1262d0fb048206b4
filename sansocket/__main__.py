"""The program `sansocket`, also run as `python -m sansocket`."""

from __future__ import annotations

import sys

from sansocket.command_line import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())

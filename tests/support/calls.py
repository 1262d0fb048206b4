"""What something costs, as a number that is the same on every machine."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType


def calls(function: Callable[[], object]) -> int:
    """How many functions are called, of Python's and of C's."""
    count = 0

    def counted(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    gc.disable()  # Hypothesis and others are called back by it, at any time
    sys.setprofile(counted)
    try:
        function()
    finally:
        sys.setprofile(before)
        gc.enable()
    return count

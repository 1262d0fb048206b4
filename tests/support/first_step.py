"""A coroutine whose first step is taken by hand, as the core takes that of a handler."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from sansocket.sansio.first_step import Rest


def begun(coroutine: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, Any] | None:
    """What is left of it; None where that was all."""
    try:
        trap = coroutine.send(None)
    except StopIteration:
        return None

    async def finish() -> Any:
        return await Rest(coroutine, trap)

    return finish()

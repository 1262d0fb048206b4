"""What the tests of every backend register on a server, and read from its log."""

from __future__ import annotations

from typing import Final, TypeVar

import pytest

from sansocket.sansio.socketio.app import App
from sansocket.sansio.socketio.socket import Socket

A = TypeVar("A", bound=App)

PIECE: Final = "x" * 50_000
MANY: Final = 200
"""So many pieces are more than the kernel keeps for one connection."""


def echoing(io: A) -> A:
    """The server, which sends every `echo` back now, and floods those who ask for it."""

    @io.on("echo")
    def echo(socket: Socket, *args: object) -> None:
        socket.emit("echo", *args)

    @io.on("flood")
    async def flood(socket: Socket) -> None:
        for number in range(MANY):
            socket.emit("piece", number, PIECE)

    return io


def disconnect_reasons(io: App) -> list[str]:
    """The reasons that its disconnect handlers are told, as they come."""
    reasons: list[str] = []

    @io.on("disconnect")
    def gone(socket: Socket, reason: str) -> None:
        reasons.append(reason)

    return reasons


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged above DEBUG: messages, and the exceptions that came with them."""
    return [
        f"{record.getMessage()}: {record.exc_info[1]!r}" if record.exc_info else record.getMessage()
        for record in caplog.records
        if record.levelname != "DEBUG"
    ]


def is_resting(coroutine: object) -> bool:
    """Whether a task is that of a worker which has no handler to run."""
    names = [getattr(each, "__qualname__", "") for each in (coroutine, cr_await(coroutine))]
    return names == ["Workers._work", "Bed.sleep"]


def cr_await(coroutine: object) -> object:
    """What a coroutine awaits."""
    return getattr(coroutine, "cr_await", None)

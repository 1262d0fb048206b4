"""A server of the core that is one of several workers; what is handed over, the tests carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sansocket.sansio.engineio.app import EngineApp
from sansocket.sansio.engineio.neighbours import Arrival
from support.transcript import Driver, engineio


@dataclass(frozen=True)
class Neighbour:
    """A worker that hands nothing over by itself: the tests do."""

    name: str
    chosen: str = ""
    """Who is chosen for a new session; "" is this one."""

    def choose(self) -> str:
        return self.chosen or self.name

    def hand_over(self, to: str, connection: int, message: bytes) -> bool:
        raise NotImplementedError

    def fileno(self) -> int:
        raise NotImplementedError

    def receive(self) -> Sequence[Arrival]:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


def worker(name: str, chosen: str = "", **options: object) -> tuple[EngineApp, Driver]:
    """A server that is one of several."""
    app, driver = engineio(**options)
    app.engine.neighbours = Neighbour(name, chosen)
    return app, driver

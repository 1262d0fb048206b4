"""A server for the transcripts of Engine.IO, which must leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.engineio import Serve, nothing_is_left
from support.transcript import Driver, engineio

from sansocket.sansio.engineio.app import EngineApp


@pytest.fixture(params=["whole", "byte by byte"])
def serve(request: pytest.FixtureRequest) -> Iterator[Serve]:
    """Make servers; every test runs twice, as what clients send may come in any pieces.

    When the test is done all connections break, and nothing may be left (security rule T13).
    """
    made: list[tuple[EngineApp, Driver]] = []

    def make(**options: object) -> tuple[EngineApp, Driver]:
        app, driver = engineio(**options)
        driver.bytewise = request.param == "byte by byte"
        made.append((app, driver))
        return app, driver

    yield make
    for app, driver in made:
        nothing_is_left(app, driver)

"""Servers, and clients with them, for the transcripts of Engine.IO; they leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.engineio import Serve, nothing_is_left
from support.engineio_client import Join, Network
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


@pytest.fixture(params=["whole", "byte by byte"])
def join(request: pytest.FixtureRequest) -> Iterator[Join]:
    """Make a server and its network; when the test is done nothing may be left of either."""
    made: list[tuple[Network, EngineApp]] = []

    def make(**options: Any) -> tuple[Network, EngineApp]:
        app, driver = engineio(**options)
        network = Network(driver)
        network.bytewise = request.param == "byte by byte"
        made.append((network, app))
        return network, app

    yield make
    for network, app in made:
        for link in network.links:
            link.cut()
        network.settle()
        network.advance(100.0)
        nothing_is_left(app, network.driver)
        network.advance(0.0)
        assert len(network.timers) == 0

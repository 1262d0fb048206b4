"""The server of a test, on every backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from backends.hosts import BACKENDS, Backend, Host, host_on


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    """The backend's name."""
    name: Backend = request.param
    return name


@pytest.fixture
def serve(backend: Backend) -> Iterator[Callable[..., Host]]:
    """Makes a server with options; registering comes before `start`."""
    hosts: list[Host] = []

    def make(**options: Any) -> Host:
        host = host_on(backend, **options)
        hosts.append(host)
        return host

    yield make
    for host in hosts:
        host.stop()

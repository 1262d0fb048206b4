"""What the tests of the asyncio backend share: connections with and without TLS."""

from __future__ import annotations

import pytest
from support.asyncio_client import HOST
from support.tls import Contexts, make_contexts


@pytest.fixture(scope="session")
def tls() -> Contexts:
    """TLS on both sides."""
    return make_contexts(HOST)


@pytest.fixture(params=["tcp", "tls"])
def either(request: pytest.FixtureRequest, tls: Contexts) -> Contexts:
    """The test runs twice: over plain TCP and over TLS."""
    return tls if request.param == "tls" else Contexts()

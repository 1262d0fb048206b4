"""What the tests of the Trio backend share: connections with and without TLS."""

from __future__ import annotations

import pytest
from support.tls import Contexts, make_contexts
from support.trio_client import HOST


@pytest.fixture(scope="session")
def tls() -> Contexts:
    """TLS on both sides."""
    return make_contexts(HOST)


@pytest.fixture(params=["tcp", "tls"])
def either(request: pytest.FixtureRequest, tls: Contexts) -> Contexts:
    """The test runs twice: over plain TCP and over TLS."""
    return tls if request.param == "tls" else Contexts()

"""A client's session between its receiver and its connections."""

from __future__ import annotations

from support.runtime import counting_entropy

from sansocket.sansio.client_config import EngineClientConfig
from sansocket.sansio.engineio.client import EngineClient
from sansocket.sansio.engineio.client_states import ClientState
from sansocket.sansio.engineio.cookies import CookieJar
from sansocket.sansio.engineio.url import parse_url
from sansocket.sansio.errors import Reason
from sansocket.sansio.timers import Timers


class Silent:
    """Takes everything."""

    def opened(self, now: float) -> None:
        """Nothing to do."""

    def message(self, data: str | bytes, now: float) -> None:
        """Nothing to do."""

    def closed(self, reason: Reason, error: Exception | None) -> None:
        """Nothing to do."""


def test_a_session_begins_idle() -> None:
    client = EngineClient(
        parse_url("http://h"),
        EngineClientConfig(),
        Silent(),
        timers=Timers(lambda: None),
        dial=lambda wire: None,
        cookies=CookieJar(),
        entropy=counting_entropy(),
    )
    assert client.state is ClientState.IDLE
    assert client.id == ""

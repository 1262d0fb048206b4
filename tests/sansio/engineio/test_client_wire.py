"""One connection of a client."""

from __future__ import annotations

from sansocket.sansio.engineio.client_wire import ClientWire
from sansocket.sansio.engineio.url import Target


def test_a_wire_knows_where_it_leads() -> None:
    assert ClientWire(Target("h", 80, False)).target.host == "h"

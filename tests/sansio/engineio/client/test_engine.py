"""The engine of a client as an application has it: its session of now, and what is told of all."""

from __future__ import annotations

from typing import Any

import pytest
from support.engineio_client import Join, Network, Noted

from sansocket.sansio.client_config import EngineClientConfig
from sansocket.sansio.engineio.client.engine import ClientEngine
from sansocket.sansio.engineio.client.url import parse_url


def engine_on(network: Network) -> ClientEngine:
    """One whose connections go through the network."""
    return ClientEngine(
        parse_url("http://server.example"),
        timers=network.timers,
        dial=network.dial,
        entropy=network.entropy,
        log=lambda message, error: None,
    )


def opened(network: Network, engine: ClientEngine, **options: Any) -> Noted:
    """A session of it, whose attempt has come to its end."""
    receiver = Noted()
    engine.new_session(EngineClientConfig(**options), receiver).open(network.now)
    network.settle()
    return receiver


def test_before_the_first_attempt(join: Join) -> None:
    network, _ = join()
    engine = engine_on(network)
    assert (engine.id, engine.transport, engine.connected, engine.backlog) == ("", None, False, 0)
    assert engine.subprotocol is None
    engine.close()
    assert repr(engine) == "<ClientEngine None closed>"


def test_it_shows_the_session_of_now(join: Join) -> None:
    network, app = join()
    engine = engine_on(network)
    receiver = opened(network, engine)
    [sid] = app.engine.sessions
    assert (engine.id, engine.transport, engine.connected) == (sid, "websocket", True)
    assert repr(engine) == "<ClientEngine websocket open>"
    assert sid not in repr(engine)
    engine.close()
    network.settle()
    assert (engine.connected, receiver.reason) == (False, "forced close")


def test_functions_are_told_of_every_session(join: Join) -> None:
    """Registered once, before the first."""
    network, _ = join()
    engine = engine_on(network)
    told: list[str] = []

    @engine.on("upgrade")
    def upgraded(transport: str) -> None:
        told.append(transport)

    closed = engine.on("close", told.append)
    for _ in range(2):
        opened(network, engine)
        engine.close()
        network.settle()
    assert told == ["websocket", "forced close"] * 2
    engine.off("close", closed)
    engine.off("upgrade", upgraded)
    opened(network, engine)
    engine.close()
    network.settle()
    assert len(told) == 4


def test_a_function_is_told_once(join: Join) -> None:
    """Of the first session, whichever it is."""
    network, _ = join()
    engine = engine_on(network)
    told: list[str] = []
    engine.once("close", told.append)
    assert engine.event_names() == ["close"]
    for _ in range(2):
        opened(network, engine)
        engine.close()
        network.settle()
    assert told == ["forced close"]
    assert engine.listeners("close") == []


def test_functions_that_cannot_be(join: Join) -> None:
    network, _ = join()
    engine = engine_on(network)
    with pytest.raises(ValueError, match="upgrade_error"):
        engine.on("connect", print)
    with pytest.raises(ValueError, match="upgrade_error"):
        engine.off("connect", print)
    with pytest.raises(TypeError, match="upgrade"):
        engine.on("upgrade", lambda session, transport: None)

    async def waits() -> None: ...

    with pytest.raises(TypeError, match="open"):
        engine.on("open", waits)


def test_an_upgrade_is_remembered_over_sessions(join: Join) -> None:
    """Row 47: the second begins with the WebSocket that the first came to, if that is asked for."""
    network, app = join()
    for remember, first in ((True, "websocket"), (False, "polling")):
        engine = engine_on(network)
        transports: list[Any] = []
        engine.on("open", lambda e=engine, t=transports: t.append(e.transport))
        for _ in range(2):
            opened(network, engine, remember_upgrade=remember)
            engine.close()
            network.settle()
        assert transports == ["polling", first]
        assert not app.engine.sessions

"""What happens to a client itself, and who listens (row 173)."""

from __future__ import annotations

from typing import Any

import pytest
from support.fake_engine import Rig, record_client
from support.runtime import Gate

from sansocket.sansio.socketio.client.notices import NOTICES


def test_listeners_that_wait() -> None:
    """Coroutine functions, one event after the other."""
    rig = Rig()
    gate, told = Gate(), list[str]()

    @rig.client.on("open")
    async def opened() -> None:
        await gate.wait()
        told.append("open")

    @rig.client.on("close")
    def closed(reason: str) -> None:
        told.append(reason)

    rig.joined()
    rig.lose()
    assert told == []
    gate.open()
    rig.settle()
    assert told == ["open", "transport close"]


def test_a_plain_function_that_returns_something_to_await() -> None:
    rig = Rig()
    gate, told = Gate(), list[str]()

    async def wait() -> None:
        await gate.wait()
        told.append("open")

    rig.client.on("open", lambda: wait())
    rig.joined()
    assert told == []
    gate.open()
    rig.settle()
    assert told == ["open"]


def test_packets() -> None:
    """Each packet of the server; nothing is queued where nobody listens."""
    rig = Rig()
    packets: list[Any] = []
    rig.client.on("packet", packets.append)
    rig.joined()
    rig.receive('2["x",1]')
    assert [packet.data for packet in packets] == [{"sid": "sid"}, ["x", 1]]
    rig.client.off("packet", packets.append)
    rig.receive('2["x",2]')
    assert len(packets) == 2


def test_a_listener_that_fails() -> None:
    """It is logged; those after it are told."""
    rig = Rig()

    @rig.client.on("open")
    def fails() -> None:
        raise ValueError

    told = record_client(rig.client, "open")
    rig.joined()
    assert told == [("open",)]
    [(message, error)] = rig.runtime.logged
    assert "'open'" in message
    assert isinstance(error, ValueError)


def test_forgotten() -> None:
    rig = Rig()
    told = record_client(rig.client, *NOTICES)
    for name in NOTICES:
        rig.client.off(name)
    rig.joined()
    rig.lose()
    assert told == []


def test_once() -> None:
    """Of the first loss only; `close` has its details for such a listener too."""
    rig = Rig()
    told: list[tuple[Any, ...]] = []

    @rig.client.once("close")
    def closed(reason: str, error: Exception | None) -> None:
        told.append((reason, error))

    def never(reason: str) -> None:
        told.append(("never",))

    rig.client.once("close", lambda reason: rig.client.off("close", never))
    rig.client.once("close", never)
    rig.joined()
    assert rig.client.listeners("close")[0] is closed
    rig.lose()
    rig.advance(1.5)
    rig.rejoin()
    rig.lose()
    assert told == [("transport close", None)]
    assert rig.client.event_names() == []


@pytest.mark.parametrize("name", ["connect", "disconnect", "Open", ""])
def test_events_that_there_are_not(name: str) -> None:
    """Those of a socket among them: the error names the others."""
    client = Rig().client
    with pytest.raises(ValueError, match="reconnect_attempt"):
        client.on(name, print)
    with pytest.raises(ValueError, match="reconnect_attempt"):
        client.off(name)


@pytest.mark.parametrize("name", [name for name in NOTICES if name != "close"])
def test_listeners_that_cannot_be_called(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        Rig().client.on(name, lambda one, two: None)


def test_close_has_details_for_who_takes_them() -> None:
    rig = Rig()
    reasons, details = list[str](), list[tuple[str, object]]()
    rig.client.on("close", reasons.append)
    rig.client.on("close", lambda reason, error: details.append((reason, error)))
    rig.joined()
    error = ValueError()
    rig.lose(error=error)
    assert reasons == ["transport close"]
    assert details == [("transport close", error)]


def test_pings() -> None:
    """Of the connection that there is, each time."""
    rig = Rig()
    told = record_client(rig.client, "ping")
    rig.joined()
    for _ in range(2):
        rig.engine.receiver.pinged()
    rig.settle()
    assert told == [("ping",)] * 2
    before = rig.engine
    rig.lose()
    before.receiver.pinged()
    rig.settle()
    assert len(told) == 2

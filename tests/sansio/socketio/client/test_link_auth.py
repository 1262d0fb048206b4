"""What a server is told of `auth`: asked for each time, late, failing, impossible (rule 86)."""

from __future__ import annotations

from typing import Any

import pytest
from support.fake_engine import Rig, record
from support.runtime import Gate


def test_auth_is_asked_for_each_time() -> None:
    """Row 165, rule 86: a value, a function, or a coroutine function."""
    rig = Rig()
    tokens = iter("abcdefgh")

    def plain() -> dict[str, str]:
        return {"token": next(tokens)}

    async def waiting() -> dict[str, str]:
        return {"token": next(tokens)}

    auths: list[Any] = [{"token": "x"}, plain, waiting, None, lambda: waiting()]
    for place, auth in enumerate(auths):
        rig.client.socket(f"/{place}", auth=auth).connect()
    first, *others = rig.open()
    assert first == '0/0,{"token":"x"}'
    last = ['0/2,{"token":"b"}', '0/4,{"token":"c"}']
    assert others == ['0/1,{"token":"a"}', "0/3,", *last]
    rig.lose()
    rig.advance(1)
    last = ['0/2,{"token":"e"}', '0/4,{"token":"f"}']
    assert rig.open()[1:] == ['0/1,{"token":"d"}', "0/3,", *last]
    assert rig.runtime.homes == [rig.client] * 4


def test_a_failure_of_auth_may_take_others_along() -> None:
    """Whoever is told of it disconnects them, while they are being asked for one by one."""
    rig = Rig()
    first, second = rig.client.socket("/a", auth=broken), rig.client.socket("/b")
    rig.client.on_error(lambda *args: second.disconnect())
    first.connect()
    second.connect()
    assert rig.open() == []
    assert rig.engine.ended is not None
    assert not rig.client.members


@pytest.mark.parametrize("happens", ["left", "lost", "left and back"])
def test_auth_that_comes_too_late(happens: str) -> None:
    """What was asked for another connection is not sent on this one."""
    rig = Rig()
    gate = Gate()
    asked = 0

    async def auth() -> dict[str, int]:
        nonlocal asked
        asked += 1
        mine = asked
        await gate.wait()
        return {"number": mine}

    rig.joined("/a")
    socket = rig.client.socket("/b", auth=auth)
    socket.connect()
    rig.settle()
    if happens == "lost":
        rig.lose()
        rig.advance(1)
        assert rig.open() == ["0/a,"]
    else:
        socket.disconnect()
        if happens == "left and back":
            socket.connect()
    gate.open()
    rig.settle()
    assert rig.engine.take() == ([] if happens == "left" else ['0/b,{"number":2}'])


def broken() -> dict[str, Any]:
    raise ValueError("no token")


async def broken_later() -> dict[str, Any]:
    raise ValueError("no token")


@pytest.mark.parametrize("auth", [broken, broken_later, lambda: "text", lambda: {"a": {1, 2}}])
def test_auth_that_fails(auth: Any) -> None:
    """It is told and reported; the others go on."""
    rig = Rig()
    reported: list[tuple[Any, ...]] = []
    rig.client.on_error(lambda *args: reported.append(args))
    other = rig.joined("/a")
    socket = rig.client.socket("/b", auth=auth)
    told = record(socket, "connect_error")
    socket.connect()
    rig.settle()
    [(_, error)] = told
    assert reported == [(error, socket, "auth", ())]
    assert not socket.active
    assert other.connected
    assert rig.engine.take() == []


@pytest.mark.parametrize("auth", ["text", 1, ["list"], lambda token: {}])
def test_auth_that_cannot_be(auth: Any) -> None:
    """The caller is told at once."""
    with pytest.raises(TypeError, match="auth"):
        Rig().client.socket(auth=auth)

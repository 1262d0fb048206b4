"""Events that wait for the connection (rules 87 and 98)."""

from __future__ import annotations

import pytest

from sansocket.sansio.engineio.encoded import encode_message
from sansocket.sansio.errors import LocalProtocolError
from sansocket.sansio.socketio.client.send_buffer import Outgoing, SendBuffer


def outgoing(name: str, number: int | None = None) -> Outgoing:
    """An event of as many bytes as its name, and one."""
    return Outgoing(name, (), encode_message([name]), number)


def test_order_with_and_without_numbers() -> None:
    buffer = SendBuffer(10, 100)
    for name, number in [("a", None), ("b", 0), ("c", None), ("d", 7)]:
        buffer.add(outgoing(name, number))
    assert len(buffer) == 4
    assert buffer.size == 8
    assert 0 in buffer
    assert 1 not in buffer
    first = buffer.first
    assert first is not None
    assert first.event == "a"
    names: list[str] = []
    while (each := buffer.pop()) is not None:
        names.append(each.event)
    assert names == ["a", "b", "c", "d"]
    assert (len(buffer), buffer.size, buffer.first) == (0, 0, None)


def test_one_is_taken_back() -> None:
    """Rule 87; a second time it is not there."""
    buffer = SendBuffer(10, 100)
    for number in range(3):
        buffer.add(outgoing("x", number))
    found = buffer.get(1)
    assert found is not None
    assert found.number == 1
    assert buffer.remove(1)
    assert not buffer.remove(1)
    assert buffer.get(1) is None
    assert (len(buffer), buffer.size) == (2, 4)


def test_the_bounds() -> None:
    """Rule 98: the caller is told, and nothing is changed; what goes makes room."""
    buffer = SendBuffer(2, 10)
    buffer.add(outgoing("a", 1))
    with pytest.raises(LocalProtocolError, match="10 bytes"):
        buffer.add(outgoing("x" * 8))
    buffer.add(outgoing("x" * 7))
    with pytest.raises(LocalProtocolError, match="2 events"):
        buffer.add(outgoing(""))
    assert (len(buffer), buffer.size) == (2, 10)
    buffer.remove(1)
    buffer.add(outgoing("b"))

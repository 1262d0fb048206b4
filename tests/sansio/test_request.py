"""A request as a value: its headers, and whether it wants to become a WebSocket."""

from __future__ import annotations

from typing import Any, cast

import pytest

from sansocket.sansio.request import Request


def request(*headers: tuple[bytes, bytes]) -> Request:
    return Request("GET", "/", {}, headers)


def test_header() -> None:
    """Several of one name are one list (RFC 9110, section 5.3); bytes come as Latin-1."""
    asked = request((b"a", b"1"), (b"b", b"\xe9"), (b"a", b"2"))
    assert asked.header(b"a") == "1, 2"
    assert asked.header(b"b") == "é"
    assert asked.header(b"c") is None
    assert request((b"empty", b"")).header(b"empty") == ""


@pytest.mark.parametrize(
    ("value", "upgrade"),
    [
        (b"websocket", True),
        (b"WebSocket", True),
        (b"h2c,  websocket ", True),
        (b"h2c", False),
        (b"websockets", False),
        (b"", False),
    ],
)
def test_upgrade(value: bytes, upgrade: bool) -> None:
    """RFC 9110, section 7.8: a list of tokens, in any case."""
    assert request((b"upgrade", value)).upgrade is upgrade
    assert not request().upgrade


def test_with_body() -> None:
    """The same otherwise; that which it was made of stays as it was."""
    first = request((b"a", b"1"))
    other = first.with_body(b"x")
    assert (first.body, other.body, other.with_body(b"")) == (b"", b"x", first)


def test_it_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        cast("Any", request()).path = "/other"

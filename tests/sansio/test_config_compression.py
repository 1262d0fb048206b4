"""Options that stand for something else, and those of compression."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from sansocket.sansio.config import Cookie, EngineConfig, PerMessageDeflate


def test_defaults() -> None:
    """Those of the reference: answers to polls are compressed, messages are not."""
    config = EngineConfig()
    assert (config.http_compression, config.http_compression_threshold) == (True, 1024)
    assert config.per_message_deflate is False
    assert config.deflate is None
    assert (PerMessageDeflate().threshold, PerMessageDeflate().level) == (1024, 6)


def test_functions() -> None:
    """Security rule T12: asked about nobody by default, and then within 2 seconds."""
    config = EngineConfig()
    assert (config.allow_request, config.generate_id, config.initial_packet) == (None,) * 3
    assert config.admission_timeout == 2.0
    given: dict[str, Any] = {
        name: lambda value: value
        for name in ("allow_request", "generate_id", "cors_allowed_origins")
    }
    config = EngineConfig(**given)
    assert all(getattr(config, name) is function for name, function in given.items())
    EngineConfig(**given, cors_credentials=True)


@pytest.mark.parametrize(
    ("cookie", "meant"),
    [
        (None, None),
        (False, None),
        (True, Cookie()),
        ("route-1_x", Cookie(name="route-1_x")),
        (Cookie(path="/a"), Cookie(path="/a")),
    ],
)
def test_cookie(cookie: Cookie | str | bool | None, meant: Cookie | None) -> None:
    assert EngineConfig(cookie=cookie).session_cookie == meant


@pytest.mark.parametrize(
    ("chosen", "meant"),
    [
        (False, None),
        (True, PerMessageDeflate()),
        (PerMessageDeflate(threshold=1, level=9), PerMessageDeflate(threshold=1, level=9)),
    ],
)
def test_per_message_deflate(
    chosen: bool | PerMessageDeflate, meant: PerMessageDeflate | None
) -> None:
    assert EngineConfig(per_message_deflate=chosen).deflate == meant


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("threshold", value) for value in (0, -1, 1.5, True, None, "1024")),
        *(("level", value) for value in (0, -1, 10, 1.5, True, None)),
    ],
)
def test_refused(name: str, value: object) -> None:
    options: dict[str, Any] = {name: value}
    with pytest.raises((TypeError, ValueError), match=f"^per_message_deflate {name}: expected "):
        PerMessageDeflate(**options)


def test_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        PerMessageDeflate().__setattr__("level", 1)


@pytest.mark.parametrize("packet", ["", "text", "\u2028", b"", b"\x1e"])
def test_initial_packet(packet: str | bytes) -> None:
    assert EngineConfig(initial_packet=packet).initial_packet == packet

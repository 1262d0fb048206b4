"""The options of a client: what is taken, and that every wrong one is refused by its name."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import Any, get_type_hints

import pytest

from sansocket.sansio.client_config import EngineClientConfig, EngineClientOptions
from sansocket.sansio.config import PerMessageDeflate


def test_promised_defaults() -> None:
    """The public interface, and rows 46 to 60 of what clients offer."""
    config = EngineClientConfig()
    assert config.path == config.engine_path == "/socket.io/"
    assert config.transports == ("polling", "websocket")
    assert config.upgrade
    assert not config.remember_upgrade
    assert not config.try_all_transports
    assert config.query == config.extra_headers == ()
    assert config.timestamp_param == "t"
    assert config.deflate is None
    assert EngineClientConfig(per_message_deflate=True).deflate == PerMessageDeflate()


def test_options_are_the_fields() -> None:
    assert get_type_hints(EngineClientOptions) == get_type_hints(EngineClientConfig)
    assert vars(EngineClientOptions)["__required_keys__"] == frozenset()


def test_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        EngineClientConfig().__setattr__("path", "/x")


@pytest.mark.parametrize(
    ("path", "slash", "engine_path"),
    [("/a", True, "/a/"), ("/a/", True, "/a/"), ("/a", False, "/a"), ("/", True, "/")],
)
def test_the_slash_at_the_end(path: str, slash: bool, engine_path: str) -> None:
    assert EngineClientConfig(path=path, add_trailing_slash=slash).engine_path == engine_path


def test_pairs_may_be_a_mapping() -> None:
    config = EngineClientConfig(query={"a": "1"}, extra_headers=[("X", " y "), ("X", "z")])
    assert config.query == (("a", "1"),)
    assert config.extra_headers == (("X", "y"), ("X", "z"))


def test_options_of_one_transport() -> None:
    """Row 51: they stand instead of those for all, and are checked like them."""
    config = EngineClientConfig(
        extra_headers={"X": "all"},
        request_timeout=5.0,
        transport_options={"websocket": {"extra_headers": {"X": "own"}, "request_timeout": None}},
    )
    assert config.for_transport("polling") is config
    own = config.for_transport("websocket")
    assert (own.extra_headers, own.request_timeout) == ((("X", "own"),), None)
    for wrong in ({"extra_headers": {"Host\n": ""}}, {"request_timeout": 0}):
        options: Any = {"polling": wrong}
        with pytest.raises(ValueError, match=next(iter(wrong))):
            EngineClientConfig(transport_options=options)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("path", "engine.io"),
        ("path", "/a?b"),
        ("path", None),
        ("add_trailing_slash", 1),
        ("transports", ()),
        ("transports", ("webtransport",)),
        ("transports", ("polling", "polling")),
        ("upgrade", None),
        ("query", 3),
        ("query", "a=b"),
        ("query", ["ab"]),
        ("query", {"a": 1}),
        ("query", [("a",)]),
        ("query", {"a": "\ud800"}),
        ("extra_headers", {"X": "a\r\nb"}),
        ("extra_headers", {"a b": "c"}),
        ("extra_headers", {"X": "\u20ac"}),
        ("extra_headers", {"Content-Length": "3"}),
        ("extra_headers", {"sec-websocket-key": "x"}),
        ("transport_options", None),
        ("transport_options", {"webtransport": {}}),
        ("transport_options", {"polling": None}),
        ("transport_options", {"polling": {"path": "/x"}}),
        ("extra_headers", {"X": "a\x00b"}),
        ("timestamp_requests", 1),
        ("timestamp_param", "a=b"),
        ("timestamp_param", ""),
        ("protocols", "chat"),
        ("protocols", ("a b",)),
        ("protocols", ("a", "a")),
        ("protocols", (3,)),
        ("per_message_deflate", None),
        ("request_timeout", 0),
        ("request_timeout", True),
        ("request_timeout", float("nan")),
        ("upgrade_timeout", -1.0),
        ("max_payload", 1.5),
        ("max_inbound", 0),
    ],
)
def test_refused_by_name(name: str, value: object) -> None:
    options: dict[str, Any] = {name: value}
    with pytest.raises((TypeError, ValueError), match=name):
        EngineClientConfig(**options)


def test_every_number_is_checked() -> None:
    for field in fields(EngineClientConfig):
        if isinstance(field.default, int | float) and not isinstance(field.default, bool):
            options: dict[str, Any] = {field.name: 0}
            with pytest.raises(ValueError, match=field.name):
                EngineClientConfig(**options)

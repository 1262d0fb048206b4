"""Options: what is taken, and that every wrong one is refused by its name."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import Any, Literal, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansocket.sansio.config import (
    Cookie,
    EngineConfig,
    EngineOptions,
    ServerConfig,
    ServerOptions,
)

NAMES = [field.name for field in fields(ServerConfig)]
TYPES = get_type_hints(ServerConfig)


def test_promised_defaults() -> None:
    """The public interface, protocol rules 50 and 65, security rules T4, T5, T6, 10, T22, T24."""
    config = ServerConfig()
    assert (config.path, EngineConfig().path) == ("/socket.io/", "/engine.io/")
    assert (config.ping_interval, config.ping_timeout) == (25.0, 20.0)
    assert (config.connect_timeout, config.upgrade_timeout) == (45.0, 10.0)
    assert config.max_payload == 1_000_000
    assert tuple(config.transports) == ("polling", "websocket")
    assert config.cors_allowed_origins == ()
    assert not config.cors_credentials
    assert config.cookie is None
    assert (config.max_attachments, config.max_attachment_bytes) == (10, 10_000_000)
    assert config.attachment_timeout == 60.0
    assert (config.pause_backlog, config.max_backlog) == (4_000_000, 16_000_000)
    assert (config.head_timeout, config.body_timeout, config.keep_alive_timeout) == (10, 30, 75)


@pytest.mark.parametrize(
    ("options", "config"), [(EngineOptions, EngineConfig), (ServerOptions, ServerConfig)]
)
def test_options_are_the_fields(options: type, config: type) -> None:
    """The keyword arguments that a type checker knows are those that there are, all optional."""
    assert get_type_hints(options) == get_type_hints(config)
    assert vars(options)["__required_keys__"] == frozenset()


def test_frozen() -> None:
    for frozen in (ServerConfig(), Cookie()):
        with pytest.raises(FrozenInstanceError):
            frozen.__setattr__("path", "/x")


ACCEPTED: list[tuple[str, object]] = [
    ("path", "/"),
    ("path", "/a/b~c%20d"),
    ("transports", ["websocket"]),
    ("transports", {"polling", "websocket"}),
    ("allow_upgrades", False),
    ("ping_interval", 1),
    ("ping_timeout", 0.2),
    ("max_payload", 1),
    ("cors_allowed_origins", "*"),
    ("cors_allowed_origins", frozenset({"https://example.com:8443", "null"})),
    ("cors_allowed_origins", ["http://[::1]:3000", "capacitor://localhost", "http://a_b.c"]),
    ("cors_credentials", True),
    ("cookie", Cookie(name="sid", path="/a", same_site="none", secure=True)),
    ("max_rooms", 2**53 - 1),
]


@pytest.mark.parametrize(("name", "value"), ACCEPTED)
def test_accepted(name: str, value: object) -> None:
    assert getattr(ServerConfig(**options(name, value)), name) == value


def options(name: str, value: object) -> dict[str, Any]:
    """Keyword arguments with values that no type checker would let pass."""
    return {name: value}


NUMBERS: list[object] = [
    *(0, -1, 0.0, -0.0, float("nan"), float("inf"), 10**400, 2**53),
    *("25", None, True, (1,), 1j),
]
BY_TYPE: dict[object, list[object]] = {
    float: NUMBERS,
    int: [*NUMBERS, 1.0, 1.5],
    bool: [1, 0, None, "yes"],
}
BY_NAME: dict[str, list[object]] = {
    "path": ["", "x", "x/", "/a b", "/a?b", "/a#b", "/é", "/\n", "/x\n", "/\x7f", None, 5, b"/"],
    "transports": [
        *((), [], "polling", "websocket", None, 5),
        *(("carrier-pigeon",), ("polling", "Websocket"), ("polling", None), iter(["polling"])),
    ],
    "cors_allowed_origins": [
        *("", "https://example.com", None, 5, True, ("*",), (None,), ("",), b"https://a.b"),
        *(("example.com",), ("https://",), ("https://example.com/",), ("https://example.com/a",)),
        *(("https://Example.com",), ("https://a.example https://b.example",), ("https://a.b\n",)),
        *(["https://a.example", "https://*.b.example"], iter(["https://a.example"])),
    ],
    "cookie": [5, {}, ("io", "/"), b"io", "", "a b", "a;b", "é"],
    "initial_packet": [5, True, ["x"], "a\x1eb", "\ud800"],
    "per_message_deflate": [None, 1, "yes", {}],
    "allow_request": [True, "yes", 5],
    "generate_id": [True, "yes", 5],
}
NO_CHOICE: list[object] = ["", "x", "Finish", None, True, 5]


def wrong(name: str) -> list[object]:
    """What this option must not be; none of them takes just any object."""
    if get_origin(TYPES[name]) is Literal:
        return [*NO_CHOICE, object()]
    return [*BY_NAME.get(name, BY_TYPE.get(TYPES[name], [])), object()]


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in NAMES for value in wrong(name)], ids=repr
)
def test_refused(name: str, value: object) -> None:
    """At once, with an error that begins with the option's name and shows what came."""
    with pytest.raises((TypeError, ValueError), match=f"^{name}: expected .+, got "):
        ServerConfig(**options(name, value))


def test_unknown() -> None:
    with pytest.raises(TypeError, match="ping_intervall"):
        ServerConfig(**options("ping_intervall", 25))


def test_credentials_for_everyone() -> None:
    """Security rule T31: never together with credentials unless an origin is listed."""
    with pytest.raises(ValueError, match="cors_credentials: "):
        ServerConfig(cors_allowed_origins="*", cors_credentials=True)
    assert ServerConfig(cors_allowed_origins=("https://a.b",), cors_credentials=True)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda items: st.lists(items) | st.tuples(items) | st.frozensets(st.text()),
    max_leaves=5,
)


@given(st.sampled_from(NAMES), JUNK)
def test_anything(name: str, value: object) -> None:
    """A value is kept as it is, or refused by the option's name."""
    try:
        config = ServerConfig(**options(name, value))
    except (TypeError, ValueError) as error:
        refusal = str(error)
    else:
        assert getattr(config, name) is value
        return
    assert refusal.startswith(f"{name}: expected ")


# Cookies


def test_cookie() -> None:
    cookie = Cookie()
    assert (cookie.name, cookie.path, cookie.same_site) == ("io", "/", "lax")
    assert (cookie.http_only, cookie.secure) == (True, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("name", value) for value in ("", "a b", "a;b", "a=b", "é", "a\n", "٣", None, 5)),
        *(("path", value) for value in ("", "x", "/;", "/a;HttpOnly", "/\n", "/é", "/ ", None)),
        *(("same_site", value) for value in ("", "Lax", "relaxed", "lax; Secure", None, True)),
        *(("http_only", value) for value in (1, None, "yes")),
        *(("secure", value) for value in (0, None, "no")),
    ],
    ids=repr,
)
def test_cookie_refused(name: str, value: object) -> None:
    """Nothing in it can end the header, or add to it what nobody asked for."""
    with pytest.raises((TypeError, ValueError), match=f"^cookie {name}: expected .+, got "):
        Cookie(**options(name, value))

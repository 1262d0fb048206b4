"""Which origins may connect, and what browsers are told (security rule T31)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansocket.sansio.config import EngineConfig
from sansocket.sansio.engineio import cors
from sansocket.sansio.engineio.http import Request

FRIEND = "https://friend.example"
STRANGER = "https://stranger.example"
LISTED: dict[str, Any] = {"cors_allowed_origins": (FRIEND, "https://other.example:8443")}
TRUSTED: dict[str, Any] = {**LISTED, "cors_credentials": True}
EVERYONE: dict[str, Any] = {"cors_allowed_origins": "*"}


def request(origin: str | None, host: str | None = "server.example:3000") -> Request:
    """A request as the HTTP layer hands it out."""
    headers = [(b"host", host), (b"origin", origin)]
    return Request(
        "GET",
        "/engine.io/",
        {},
        tuple((name, value.encode("latin-1")) for name, value in headers if value is not None),
    )


def allowed(origin: str | None, host: str | None = "server.example:3000", **options: Any) -> bool:
    return cors.allowed(request(origin, host), EngineConfig(**options))


@pytest.mark.parametrize("options", [{}, LISTED, TRUSTED, EVERYONE])
@pytest.mark.parametrize(
    "origin",
    [
        None,  # no browser, or a page of ours
        *("http://server.example:3000", "https://server.example:3000"),
        *("HTTP://SERVER.example:3000", "https://Server.Example:3000"),
    ],
)
def test_our_own(options: dict[str, Any], origin: str | None) -> None:
    """The scheme may differ: a proxy may have taken the encryption off."""
    assert allowed(origin, **options)


@pytest.mark.parametrize(
    "origin",
    [
        *("", "null", "server.example:3000", "//server.example:3000", STRANGER),
        *("http://server.example", "http://server.example:3001", "http://server.example:30000"),
        *("http://evil.server.example:3000", "http://server.example:3000.evil.example"),
        *("http://server.example:3000/", "http://evil@server.example:3000", "http://*"),
        *("http://server.example:3000, http://server.example:3000", "http://", "http://:3000"),
        *("ftp://server.example:3000", "://server.example:3000", "x-http://server.example:3000"),
        *("chrome-extension://server.example:3000", "http:///server.example:3000"),
    ],
)
def test_foreign(origin: str) -> None:
    """Refused unless configured, and what looks nearly like our own is foreign."""
    assert not allowed(origin)
    assert not allowed(origin, **LISTED)
    assert allowed(origin, **EVERYONE)
    assert cors.headers(request(origin), EngineConfig()) == ()
    assert cors.preflight(request(origin), EngineConfig()) is None


@pytest.mark.parametrize("host", [None, ""])
@pytest.mark.parametrize("origin", ["", "http://", "https://", "null", "://"])
def test_no_host(host: str | None, origin: str) -> None:
    """Two times nothing is no match."""
    assert not allowed(origin, host)


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (FRIEND, True),
        ("https://other.example:8443", True),
        *((origin, False) for origin in ("https://other.example", "http://friend.example")),
        *((origin, False) for origin in (f"{FRIEND}/", f"{FRIEND}.evil.example", f"{FRIEND}:443")),
        *((origin, False) for origin in ("HTTPS://FRIEND.EXAMPLE", f"{FRIEND}, {STRANGER}", "*")),
    ],
)
@pytest.mark.parametrize("options", [LISTED, TRUSTED])
def test_listed(options: dict[str, Any], origin: str, expected: bool) -> None:
    """By equality: never by a part, a beginning or an end."""
    config = EngineConfig(**options)
    assert cors.allowed(request(origin), config) is expected
    names = dict(cors.headers(request(origin), config))
    assert names["Vary"] == "Origin"
    assert names.get("Access-Control-Allow-Origin") == (origin if expected else None)
    assert (cors.preflight(request(origin), config) is not None) is expected


def test_null_when_it_is_listed() -> None:
    """Pages from files and sandboxes, for who wants them."""
    assert allowed("null", cors_allowed_origins=("null",))


@pytest.mark.parametrize(
    ("options", "origin", "expected"),
    [
        ({}, None, {}),
        ({}, "http://server.example:3000", {}),
        (EVERYONE, None, {"Access-Control-Allow-Origin": "*"}),
        (EVERYONE, STRANGER, {"Access-Control-Allow-Origin": "*"}),
        (LISTED, None, {"Vary": "Origin"}),
        (LISTED, STRANGER, {"Vary": "Origin"}),
        (LISTED, FRIEND, {"Access-Control-Allow-Origin": FRIEND, "Vary": "Origin"}),
        (TRUSTED, STRANGER, {"Vary": "Origin"}),
        (
            TRUSTED,
            FRIEND,
            {
                "Access-Control-Allow-Origin": FRIEND,
                "Vary": "Origin",
                "Access-Control-Allow-Credentials": "true",
            },
        ),
    ],
)
def test_headers(options: dict[str, Any], origin: str | None, expected: dict[str, str]) -> None:
    headers = cors.headers(request(origin), EngineConfig(**options))
    assert dict(headers) == expected
    assert len(headers) == len(expected)


ORIGINS = st.one_of(
    st.none(),
    st.sampled_from([FRIEND, STRANGER, "null", "*", "http://server.example:3000", ""]),
    st.text(st.characters(max_codepoint=255)),
)


@given(ORIGINS, st.sampled_from([{}, LISTED, TRUSTED, EVERYONE]))
def test_never_reflects_a_stranger(origin: str | None, options: dict[str, Any]) -> None:
    """What a page may read is every origin's without credentials, or that of a listed origin."""
    config = EngineConfig(**options)
    answer = cors.preflight(request(origin), config)
    for headers in (cors.headers(request(origin), config), answer.headers if answer else ()):
        names = dict(headers)
        told = names.get("Access-Control-Allow-Origin")
        if told not in (None, "*"):
            assert told == origin
            assert told in options["cors_allowed_origins"]
            assert names["Vary"] == "Origin"
        if "Access-Control-Allow-Credentials" in names:
            assert told not in (None, "*")


@pytest.mark.parametrize("options", [LISTED, EVERYONE])
def test_preflight(options: dict[str, Any]) -> None:
    """Protocol rule 5: the methods that there are, the one header that POST needs, no body."""
    config = EngineConfig(**options)
    answer = cors.preflight(request(FRIEND), config)
    assert answer is not None
    assert (answer.status, answer.body) == (204, b"")
    headers = dict(answer.headers)
    assert headers.items() >= dict(cors.headers(request(FRIEND), config)).items()
    assert headers["Access-Control-Allow-Methods"] == "GET, POST"
    assert headers["Access-Control-Allow-Headers"] == "Content-Type"
    assert int(headers["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize("options", [{}, LISTED, TRUSTED])
@pytest.mark.parametrize("origin", [None, "http://server.example:3000", STRANGER])
def test_no_preflight(options: dict[str, Any], origin: str | None) -> None:
    """Protocol rule 5: without a foreign origin that may connect, OPTIONS is no method to use."""
    assert cors.preflight(request(origin), EngineConfig(**options)) is None
    assert cors.preflight(request(None), EngineConfig(**EVERYONE)) is None


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (None, True),
        *((origin, True) for origin in ("", FRIEND, "null", "http://é", "a\tb")),
        *((f"http://a{chr(code)}b", False) for code in (0, 1, 8, 10, 13, 31, 127)),
    ],
)
def test_well_formed(origin: str | None, expected: bool) -> None:
    """Protocol rule 1: of an Origin header the characters are looked at first."""
    assert cors.well_formed(request(origin)) is expected

"""URLs as applications write them: what is read, and that every wrong one is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansocket.sansio.engineio.client.url import ServerAddress, Target, parse_url, without_password


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://localhost", ServerAddress(Target("localhost", 80, False))),
        ("HTTPS://Example.ORG", ServerAddress(Target("example.org", 443, True))),
        ("ws://h:8080/chat", ServerAddress(Target("h", 8080, False), "/chat")),
        ("wss://h", ServerAddress(Target("h", 443, True))),
        ("localhost:3000", ServerAddress(Target("localhost", 3000, False))),
        ("//localhost:3000", ServerAddress(Target("localhost", 3000, False))),
        ("http://h:/", ServerAddress(Target("h", 80, False))),
        ("http://127.0.0.1:1/", ServerAddress(Target("127.0.0.1", 1, False))),
        ("http://[::1]:3000/a/b", ServerAddress(Target("::1", 3000, False), "/a/b")),
        ("http://[FE80::1%25eth0]", ServerAddress(Target("fe80::1%eth0", 80, False))),
        ("http://bücher.example", ServerAddress(Target("xn--bcher-kva.example", 80, False))),
        ("http://h/%C3%A4%20x#y", ServerAddress(Target("h", 80, False), "/ä x")),
        (
            "http://h?a=1&b=%26&a=&c",
            ServerAddress(
                Target("h", 80, False), "/", (("a", "1"), ("b", "&"), ("a", ""), ("c", ""))
            ),
        ),
        (
            "http://us%40er:w%3Ard:x@h",
            ServerAddress(Target("h", 80, False), username="us@er", password="w:rd:x"),
        ),
        ("http://user@h", ServerAddress(Target("h", 80, False), username="user")),
    ],
)
def test_reads(text: str, address: ServerAddress) -> None:
    assert parse_url(text) == address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "a host name"),
        ("http://a b", "control characters"),
        ("http://a\r\nX: y", "control characters"),
        ("ftp://h", "http, https, ws or wss"),
        ("://h", "http, https, ws or wss"),
        ("http://", "a host name"),
        ("http://user@", "a host name"),
        ("http://a%00b", "a host name"),
        ("http://" + "a" * 256, "a host name"),
        ("http://ä..b", "a host name"),
        ("http://h:0", "a port from 1 to 65535"),
        ("http://h:65536", "a port from 1 to 65535"),
        ("http://h:٣", "a port from 1 to 65535"),
        ("http://h:-1", "a port from 1 to 65535"),
        ("http://::1", "a port from 1 to 65535"),
        ("http://[::1", "a URL"),
        ("http://[::g]", "a URL"),
        ("http://[v1.x]", "an IPv6 address"),
        ("http://[fe80::1%25e/h0]", "a URL"),
        ("http://h/%ff", "a URL"),
        ("http://h?%ff", "a URL"),
    ],
)
def test_refuses(text: str, expected: str) -> None:
    """What was expected and what came are in the message."""
    with pytest.raises(ValueError, match=expected) as caught:
        parse_url(text)
    assert repr(text) in str(caught.value)


def test_takes_text_only() -> None:
    nothing: Any = None
    with pytest.raises(TypeError, match="expected a str, got None"):
        parse_url(nothing)


@pytest.mark.parametrize(
    ("text", "authority"),
    [
        ("http://h", "h"),
        ("http://h:443", "h:443"),
        ("https://h:443", "h"),
        ("http://[::1]:3000", "[::1]:3000"),
        ("http://[fe80::1%25eth0]", "[fe80::1]"),
    ],
)
def test_authority(text: str, authority: str) -> None:
    """RFC 9110, section 7.2: the port where it is not the scheme's own; no zone."""
    assert parse_url(text).target.authority == authority


@given(st.one_of(st.text(), st.text("htps:/@[]%.?&=a1\u00e4", max_size=30).map("http://".__add__)))
def test_reads_or_raises_value_error(text: str) -> None:
    try:
        address = parse_url(text)
    except ValueError:
        return
    assert address.target.host.isascii()
    assert address.path.startswith("/")


@pytest.mark.parametrize(
    ("url", "name"),
    [("https://Server.example:8443", "server.example"), ("https://[fe80::1%25eth0]", "fe80::1")],
)
def test_its_certificate_is_for(url: str, name: str) -> None:
    """The zone of a link-local address means nothing to the other side (RFC 6874)."""
    assert parse_url(url).target.server_name == name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://h:80/a:b@c", "http://h:80/a:b@c"),
        ("http://u:secret@h:80/x", "http://u:***@h:80/x"),
        ("http://u:se:cr@et@h", "http://u:***@h"),
        ("u:secret@h", "u:***@h"),
        ("//u:secret@h", "//u:***@h"),
        ("http://:secret@h", "http://:***@h"),
        ("ftp://u:secret@h", "ftp://u:***@h"),
        ("http://u@h", "http://u@h"),
        ("http://h?a=:b@c", "http://h?a=:b@c"),
    ],
)
def test_passwords_are_not_shown(text: str, shown: str) -> None:
    assert without_password(text) == shown


def test_no_exception_and_no_repr_has_a_password() -> None:
    with pytest.raises(ValueError, match="http, https, ws or wss") as caught:
        parse_url("ftp://u:secret@h")
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(parse_url("http://u:secret@h"))

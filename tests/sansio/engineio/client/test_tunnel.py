"""The way through a proxy: sansio/engineio/client/tunnel.py."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansocket.sansio.engineio.client.tunnel import MAX_HEAD, Proxy, Tunnel, parse_proxy
from sansocket.sansio.engineio.client.url import Target
from sansocket.sansio.errors import TransportError

TARGET = Target("server.example", 443, True)
HTTP = Proxy("http", "proxy.example", 3128)


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        ("http://proxy.example:3128", HTTP),
        ("http://proxy.example:3128/", HTTP),
        ("proxy.example:3128", HTTP),
        ("HTTP://Proxy.Example", Proxy("http", "proxy.example", 80)),
        ("http://me:a%40b@[::1]:8080", Proxy("http", "::1", 8080, "me", "a@b")),
        ("socks5://127.0.0.1", Proxy("socks5", "127.0.0.1", 1080)),
        ("socks4a://me@127.0.0.1:9050", Proxy("socks4a", "127.0.0.1", 9050, "me")),
    ],
)
def test_its_url_is_read(text: str, proxy: Proxy) -> None:
    assert parse_proxy(text) == proxy


@pytest.mark.parametrize(
    "text",
    [
        "ftp://proxy",
        "https://proxy",
        "http://",
        "http://proxy:0",
        "http://proxy:99999",
        "http://proxy:x",
        "http://proxy/path",
        "http://proxy?query",
        "http://pro xy",
        "http://[::1",
        "",
    ],
)
def test_one_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="proxy: expected scheme://"):
        parse_proxy(text)


def test_what_is_refused_is_not_shown() -> None:
    """A password in the URL of a proxy does not end up in a log."""
    with pytest.raises(ValueError, match="proxy") as caught:
        parse_proxy("http://me:secret@proxy:x")
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(parse_proxy("http://me:secret@proxy"))


@pytest.mark.parametrize("value", [None, 3128, b"http://proxy"])
def test_one_that_is_no_str_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError, match="proxy"):
        parse_proxy(value)


@pytest.mark.parametrize(
    ("scheme", "protocol", "resolves"),
    [
        ("socks4", "SOCKS4", False),
        ("socks4a", "SOCKS4", True),
        ("socks5", "SOCKS5", False),
        ("socks5h", "SOCKS5", True),
    ],
)
def test_socks_has_four_names(scheme: str, protocol: str, resolves: bool) -> None:
    """As with curl: the last letter says who looks up the name of the server."""
    proxy = parse_proxy(f"{scheme}://proxy")
    assert (proxy.speaks_http, proxy.protocol, proxy.resolves_names) == (False, protocol, resolves)


def test_it_is_asked_for_a_tunnel() -> None:
    """RFC 9110, section 9.3.6."""
    assert parse_proxy("proxy").speaks_http
    assert Tunnel(HTTP, TARGET).request == (
        b"CONNECT server.example:443 HTTP/1.1\r\nHost: server.example:443\r\n\r\n"
    )
    request = Tunnel(parse_proxy("http://me:word@proxy"), Target("::1", 80, False)).request
    assert request.startswith(b"CONNECT [::1]:80 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic bWU6d29yZA==\r\n" in request


@given(st.integers(1, 60))
def test_it_is_there_when_the_answer_is_whole(size: int) -> None:
    answer = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Connection established\r\nA: b\r\n\r\n"
    pieces = [answer[at : at + size] for at in range(0, len(answer), size)]
    tunnel = Tunnel(HTTP, TARGET)
    assert [tunnel.receive_data(piece) for piece in pieces[:-1]] == [False] * (len(pieces) - 1)
    assert tunnel.receive_data(pieces[-1])


@pytest.mark.parametrize(
    ("answer", "told", "status"),
    [
        (b"HTTP/1.1 407 Who are you\r\n\r\n", "got 407 'Who are you'", 407),
        (b"HTTP/1.1 502 \r\nContent-Length: 3\r\n\r\nbad", "got 502", 502),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "something else", None),
        (b"A" * (MAX_HEAD + 1), "something else", None),
        (b"HTTP/1.1 200 OK\r\n\r\nHTTP", "bytes came", None),
        (b"", "closed", None),
    ],
)
def test_what_gives_no_tunnel_is_an_error(answer: bytes, told: str, status: int | None) -> None:
    """It says what was expected and what came."""
    with pytest.raises(TransportError, match=told) as caught:
        Tunnel(HTTP, TARGET).receive_data(answer)
    assert (caught.value.message, caught.value.status) == ("proxy error", status)


@given(st.binary(min_size=1, max_size=100))
def test_whatever_a_proxy_sends_is_answer_or_error(data: bytes) -> None:
    """Nothing that a peer sends escapes as another exception."""
    with suppress(TransportError):
        assert Tunnel(HTTP, TARGET).receive_data(data) in (True, False)

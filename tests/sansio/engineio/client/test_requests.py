"""Requests as they are written, and what answers say that refuse them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from support.runtime import counting_entropy

from sansocket.sansio.client_config import EngineClientConfig
from sansocket.sansio.engineio.client.cookies import CookieJar
from sansocket.sansio.engineio.client.http import Answer, HttpClient, HttpRequest
from sansocket.sansio.engineio.client.requests import Requests, refused
from sansocket.sansio.engineio.client.url import parse_url

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def requests(url: str = "http://h:3000/chat", **options: Any) -> Requests:
    config = EngineClientConfig(**options)
    return Requests(parse_url(url), config, CookieJar(), counting_entropy())


def query(request: HttpRequest) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.target).query, keep_blank_values=True))


def headers(request: HttpRequest) -> dict[str, str]:
    found = dict(request.headers)
    assert len(found) == len(request.headers)
    return found


def test_polling() -> None:
    ours = requests()
    first, get, post = ours.get("", 0.0), ours.get("abc", 0.0), ours.post("abc", b"4hi", 0.0)
    assert first.target == "/socket.io/?EIO=4&transport=polling&t=AAAAAAAB"
    assert query(get) == {"EIO": "4", "transport": "polling", "t": "AAAAAAAC", "sid": "abc"}
    assert headers(get) == {"Host": "h:3000", "Accept": "*/*"}
    assert (post.method, post.body) == ("POST", b"4hi")
    assert headers(post)["Content-Type"] == "text/plain;charset=UTF-8"


def test_websocket() -> None:
    """RFC 6455, section 4.1."""
    request = requests(protocols=("a", "b"), per_message_deflate=True).websocket("abc", KEY, 0.0)
    assert query(request) == {"EIO": "4", "transport": "websocket", "sid": "abc"}
    assert headers(request) == {
        "Host": "h:3000",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "a, b",
        "Sec-WebSocket-Extensions": "permessage-deflate; server_no_context_takeover;"
        " client_no_context_takeover",
    }


@pytest.mark.parametrize(
    ("stamped", "polling", "websocket"), [(None, True, False), (True, True, True), (False,) * 3]
)
def test_timestamps(stamped: bool | None, polling: bool, websocket: bool) -> None:
    """Row 54: for polling alone, unless it is said."""
    ours = requests(timestamp_requests=stamped, timestamp_param="ts")
    assert ("ts" in query(ours.get("", 0.0))) is polling
    assert ("ts" in query(ours.websocket("", KEY, 0.0))) is websocket


def test_queries_of_the_application() -> None:
    """Row 52: the option goes before the URL, and neither before what the protocol needs."""
    ours = requests("http://h?a=1&b=%26&EIO=3", query={"a": "2", "sid": "x", "\xe4": " +"})
    found = query(ours.get("", 0.0))
    assert found | {"t": ""} == {
        "a": "2",
        "b": "&",
        "\xe4": " +",
        "EIO": "4",
        "transport": "polling",
        "t": "",
    }


def test_base64_is_asked_for_once() -> None:
    """Row 55: by the handshake."""
    ours = requests(force_base64=True)
    assert query(ours.get("", 0.0))["b64"] == "1"
    assert "b64" not in query(ours.get("abc", 0.0))


def test_a_secret_id_is_escaped() -> None:
    """What a server calls a session cannot end the request line."""
    request = requests().get("a b\r\nX: y&z=1\ud800", 0.0)
    assert query(request)["sid"] == "a b\r\nX: y&z=1?"
    HttpClient(max_body=9).send(request)


def test_the_path() -> None:
    """Row 53."""
    ours = requests(path="/a%20b/{c}", add_trailing_slash=False)
    request = ours.get("", 0.0)
    assert urlsplit(request.target).path == "/a%20b/{c}"
    HttpClient(max_body=9).send(request)


def test_extra_headers() -> None:
    """Row 51: beside those that the URL and the protocol need."""
    ours = requests(
        "http://us%C3%A9r:pa%3Ass@h",
        extra_headers={"X-A": "\xe4", "host": "other", "Cookie": "a=1"},
    )
    request = ours.get("", 0.0)
    assert headers(request) == {
        "X-A": "\xe4",
        "host": "other",
        "Cookie": "a=1",
        "Authorization": "Basic dXPDqXI6cGE6c3M=",
        "Accept": "*/*",
    }
    HttpClient(max_body=9).send(request)
    own = requests("http://user@h", extra_headers={"authorization": "Bearer x"})
    assert "Authorization" not in headers(own.get("", 0.0))


def test_cookies() -> None:
    """They come back with every request, and join those of the application."""
    answer = Answer(200, ((b"set-cookie", b"io=x; Max-Age=10"), (b"set-cookie", b"b=y")))
    ours = requests(extra_headers=[("Cookie", "a=1"), ("X", "y")])
    ours.keep(answer, 0.0)
    assert headers(ours.get("", 9.0))["Cookie"] == "a=1; io=x; b=y"
    assert headers(ours.post("a", b"", 10.0))["Cookie"] == "a=1; b=y"
    assert headers(ours.websocket("a", KEY, 10.0))["Cookie"] == "a=1; b=y"
    without = requests(with_credentials=False)
    without.keep(answer, 0.0)
    assert "Cookie" not in headers(without.get("", 0.0))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            Answer(400, (), b'{"code":1,"message":"Session ID unknown"}'),
            "the server answered with status 400: 'Session ID unknown' (code 1)",
        ),
        (Answer(400, (), b'{"code":"1","message":"x"}'), "'x' (code 1)"),
        (Answer(400, (), b'"Invalid session"'), "'\"Invalid session\"'"),
        (Answer(500, (), b"a\xff\r\n" + b"x" * 900), "a\ufffd\\r\\nxxx"),
        (Answer(502, ()), "no text"),
        (Answer(301, ((b"location", b"https://other/"),)), "a redirect to 'https://other/'"),
        (Answer(400, (), b"[" * 5000), "[["),
        (Answer(400, (), b'{"code":[],"message":3}'), "code"),
    ],
)
def test_what_a_refusal_says(answer: Answer, said: str) -> None:
    error = refused("xhr poll error", answer)
    assert error.message == "xhr poll error"
    assert said in error.description
    assert len(error.description) < 500
    assert error.status == answer.status
    assert str(error) == f"xhr poll error: {error.description}"

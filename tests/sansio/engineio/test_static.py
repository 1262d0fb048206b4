"""A file from memory: validators, compression, and what is refused."""

from __future__ import annotations

import gzip
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansocket.sansio.engineio.http import HttpConnection, Request, Response
from sansocket.sansio.engineio.static import MIN_COMPRESSED, StaticFile

SCRIPT = b"// a line of a script\n" * 100


def get(file: StaticFile, method: str = "GET", **headers: str) -> Response:
    """Ask for a file; a header's name is written with underscores."""
    pairs = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    encoded = tuple((name, value.encode("latin-1")) for name, value in pairs)
    return file.respond(Request(method, "/file", {}, encoded))


def script(body: bytes = SCRIPT) -> StaticFile:
    return StaticFile(body, "application/javascript; charset=utf-8")


def header(response: Response, name: str) -> str | None:
    return dict(response.headers).get(name)


def test_plain() -> None:
    response = get(script())
    assert (response.status, response.body) == (200, SCRIPT)
    assert header(response, "Content-Type") == "application/javascript; charset=utf-8"
    assert header(response, "X-Content-Type-Options") == "nosniff"
    assert header(response, "Cache-Control") == "public, max-age=0"
    assert header(response, "Vary") == "Accept-Encoding"
    assert header(response, "Content-Encoding") is None
    immutable = StaticFile(SCRIPT, "text/css", cache_control="max-age=9, immutable")
    assert header(get(immutable), "Cache-Control") == "max-age=9, immutable"


def test_head_through_a_connection() -> None:
    """A HEAD gets the head of the GET, its Content-Length too (RFC 9110, section 9.3.2)."""
    file = script()

    def answer(method: bytes) -> bytes:
        http = HttpConnection(max_body=0)
        http.receive_data(method + b" /file HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n")
        request = http.next_request()
        assert request is not None
        return http.respond(file.respond(request))

    head, _, body = answer(b"GET").partition(b"\r\n\r\n")
    assert answer(b"HEAD") == head + b"\r\n\r\n"
    assert b"Content-Length: %d" % len(body) in head


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "get"])
def test_other_methods(method: str) -> None:
    """The 405 names what is allowed (RFC 9110, section 15.5.6)."""
    response = get(script(), method, if_none_match="*")
    assert (response.status, response.body) == (405, b"")
    assert header(response, "Allow") == "GET, HEAD"


def test_compressed_form_is_made_once_and_the_same_everywhere() -> None:
    one, other = script(), script()
    body = get(one, accept_encoding="gzip").body
    assert gzip.decompress(body) == SCRIPT
    assert body[4:8] == bytes(4)  # the time of its making
    assert get(one, accept_encoding="gzip").body is body
    assert get(other, accept_encoding="gzip").body == body
    assert header(get(one, accept_encoding="gzip"), "Content-Encoding") == "gzip"


@pytest.mark.parametrize(
    ("accept_encoding", "compressed"),
    [
        ("gzip", True),
        ("GZip", True),
        ("x-gzip", True),
        ("br, gzip;q=0.8, *;q=0.1", True),
        ("gzip ; q=1.000", True),
        ("gzip;q=0.001", True),
        ("*", True),
        ("identity;q=0.5, gzip", True),
        ("identity;q=0, *", True),
        ("", False),
        ("br", False),
        ("gzipped", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("*;q=0", False),
        ("gzip;q=0.5, identity", False),
        ("gzip;q=0.5, *;q=1", False),
        ("gzip;q=nan", False),
        ("gzip;q=2", False),
        ("gzip;q=0.1234", False),
        ("gzip;q", False),
        ("gzip;x=1", False),
    ],
)
def test_accept_encoding(accept_encoding: str, compressed: bool) -> None:
    """RFC 9110, section 12.5.3; what is malformed counts as refused."""
    response = get(script(), accept_encoding=accept_encoding)
    assert (header(response, "Content-Encoding") == "gzip") is compressed
    assert header(response, "Vary") == "Accept-Encoding"


@pytest.mark.parametrize(
    ("body", "content_type", "compressed"),
    [
        (b"a" * MIN_COMPRESSED, "text/html", True),
        (b"a" * (MIN_COMPRESSED - 1), "text/html", False),
        (b"a" * 9999, "Application/JSON", True),
        (b"a" * 9999, "image/svg+xml", True),
        (b"a" * 9999, "application/problem+json;a=b", True),
        (b"a" * 9999, "image/png", False),
        (b"a" * 9999, "application/octet-stream", False),
        (b"".join(sha256(bytes([n])).digest() for n in range(99)), "text/plain", False),
    ],
)
def test_only_what_gains_is_compressed(body: bytes, content_type: str, compressed: bool) -> None:
    response = get(StaticFile(body, content_type), accept_encoding="gzip")
    assert (header(response, "Content-Encoding") == "gzip") is compressed
    assert (gzip.decompress(response.body) if compressed else response.body) == body


def test_entity_tags() -> None:
    """Strong, of the body, and one for each encoding (RFC 9110, section 8.8.3.3)."""
    plain = header(get(script()), "ETag")
    compressed = header(get(script(), accept_encoding="gzip"), "ETag")
    other = header(get(script(SCRIPT + b"\n")), "ETag")
    assert plain is not None
    assert plain.startswith('"')
    assert len({plain, compressed, other}) == 3
    assert header(get(script()), "ETag") == plain


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("{}", 304),
        ("W/{}", 304),
        ('"a", {}', 304),
        ('W/"a,b",W/{},"c"', 304),
        ("*", 304),
        (" * ", 304),
        ('"a"', 200),
        ('"*"', 200),
        ("", 200),
    ],
)
@pytest.mark.parametrize("accept_encoding", ["", "gzip"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_if_none_match(form: str, status: int, accept_encoding: str, method: str) -> None:
    """Weak comparison, lists and the asterisk (RFC 9110, section 13.1.2)."""
    file = script()
    tag = header(get(file, accept_encoding=accept_encoding), "ETag")
    response = get(file, method, accept_encoding=accept_encoding, if_none_match=form.format(tag))
    assert response.status == status
    if status == 304:
        assert response.body == b""
        assert header(response, "ETag") == tag
        assert {"Cache-Control", "Vary"} <= dict(response.headers).keys()


def test_tag_of_the_other_encoding_does_not_match() -> None:
    file = script()
    tag = header(get(file), "ETag") or ""
    assert get(file, accept_encoding="gzip", if_none_match=tag).status == 200
    assert get(file, if_none_match=tag.strip('"')).status == 200


@given(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_no_header_raises(accept_encoding: str, if_none_match: str) -> None:
    response = get(script(), accept_encoding=accept_encoding, if_none_match=if_none_match)
    assert response.status in (200, 304)


def test_served_from_a_table() -> None:
    """Security rule 33: exact names; what walks through folders is merely not in the table."""
    table = {"/socket.io/socket.io.js": script()}
    for path in ("/socket.io/../socket.io/socket.io.js", "/socket.io/%73ocket.io.js"):
        http = HttpConnection(max_body=0)
        http.receive_data(b"GET " + path.encode() + b" HTTP/1.1\r\nHost: h\r\n\r\n")
        request = http.next_request()
        assert request is not None
        assert table.get(request.path) is None

"""Which coding a client wants, and an answer in it."""

from __future__ import annotations

import zlib
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansocket.sansio.engineio.compression import MOST, compress, preferred
from sansocket.sansio.engineio.http import Response

BODY = b"the same again and again, " * 100
RANDOM = b"".join(sha256(bytes([n])).digest() for n in range(200))


def decoded(response: Response) -> bytes:
    """The body, without its coding."""
    coding = dict(response.headers).get("Content-Encoding")
    if coding is None:
        return response.body
    return zlib.decompress(response.body, {"gzip": 31, "deflate": 15}[coding])


@pytest.mark.parametrize(
    ("accept_encoding", "coding"),
    [
        ("gzip", "gzip"),
        ("GZip", "gzip"),
        ("x-gzip", "gzip"),
        ("deflate", "deflate"),
        ("gzip, deflate, br, zstd", "gzip"),
        ("deflate, gzip", "gzip"),
        ("deflate, gzip;q=0.9", "deflate"),
        ("deflate;q=0.5, gzip;q=0.6", "gzip"),
        ("br, *;q=0.1", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0, *", "deflate"),
        ("gzip;q=0, deflate ; q=0.001", "deflate"),
        ("identity;q=0.5, deflate", "deflate"),
        ("", None),
        ("br", None),
        ("identity", None),
        ("gzip;q=0, deflate;q=0.000", None),
        ("*;q=0", None),
        ("gzip;q=0.5, identity", None),
        ("gzip;q=0.5, *;q=1", "deflate"),
        ("gzip;q=nan", None),
        ("gzip;q=2", None),
        ("gzip;q=0.1234", None),
        ("gzip;q", None),
        ("gzip;level=1", None),
        ("gzipped", None),
    ],
)
def test_accept_encoding(accept_encoding: str, coding: str | None) -> None:
    """RFC 9110, section 12.5.3; of equals gzip, and what is malformed counts as refused."""
    assert preferred(accept_encoding, ("gzip", "deflate")) == coding
    response = compress(Response(200, (("A", "b"),), BODY), accept_encoding, 1_024)
    assert dict(response.headers).get("Content-Encoding") == coding
    assert dict(response.headers)["A"] == "b"
    assert dict(response.headers)["Vary"] == "Accept-Encoding"
    assert decoded(response) == BODY
    assert (len(response.body) < len(BODY)) is (coding is not None)


def test_only_what_is_on_offer() -> None:
    assert preferred("deflate, gzip;q=0.5", ("gzip",)) == "gzip"
    assert preferred("deflate", ("gzip",)) is None


def test_threshold() -> None:
    """From it on; below it an answer does not even say that it could have been another."""
    answer = Response(200, (("Vary", "Origin"),), BODY)
    assert compress(answer, "gzip", len(BODY) + 1) is answer
    compressed = compress(answer, "gzip", len(BODY))
    assert decoded(compressed) == BODY
    assert compressed.headers == (
        ("Vary", "Origin, Accept-Encoding"),
        ("Content-Encoding", "gzip"),
    )


def test_what_gets_no_shorter_stays() -> None:
    response = compress(Response(200, (), RANDOM), "gzip", 1)
    assert response == Response(200, (("Vary", "Accept-Encoding"),), RANDOM)


def test_what_takes_too_long_stays() -> None:
    """Security rule 15: nobody waits for the compression of 16 megabytes."""
    longest = Response(200, (), bytes(MOST))
    assert len(compress(longest, "gzip", 1).body) < 10_000
    longer = Response(200, (), bytes(MOST + 1))
    assert compress(longer, "gzip", 1) is longer


def test_the_same_everywhere() -> None:
    """No time of its making is in it: the same input gives the same output."""
    assert compress(Response(200, (), BODY), "gzip", 1).body[4:8] == bytes(4)


@given(st.text(st.characters(max_codepoint=255)))
def test_no_header_raises(accept_encoding: str) -> None:
    assert decoded(compress(Response(200, (), BODY), accept_encoding, 1)) == BODY

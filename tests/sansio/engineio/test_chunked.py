"""The chunked transfer coding: whole, in any pieces, with more behind it, and within bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansocket.sansio.engineio.chunked import ChunkedBody
from sansocket.sansio.errors import RemoteProtocolError


def decode(*pieces: bytes, max_body: int = 100, max_overhead: int = 40) -> tuple[bytes, bytes]:
    """The body, and what is behind it."""
    chunked = ChunkedBody(max_body, max_overhead)
    data = bytearray()
    body: bytes | None = None
    for piece in pieces:
        data += piece
        if body is None:
            body = chunked.take(data)
    assert body is not None, "the body is not whole"
    return body, bytes(data)


BODIES = {
    "nothing": (b"0\r\n\r\n", b""),
    "one chunk": (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
    "two chunks": (b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", b"hello world"),
    "upper and lower case": (b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", b"0123456789" * 2),
    "leading zeros": (b"0005\r\nhello\r\n000\r\n\r\n", b"hello"),
    "line ends in it": (b"4\r\n\r\n\r\n\r\n0\r\n\r\n", b"\r\n\r\n"),
    "extensions": (b'5;a;b=c;d="e f"\r\nhello\r\n0;last\r\n\r\n', b"hello"),
    "trailers": (b"5\r\nhello\r\n0\r\nA: b\r\nC:\r\n\r\n", b"hello"),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("behind", [b"", b"GET / HTTP/1.1\r\n"])
def test_body(name: str, behind: bytes) -> None:
    """RFC 9112, section 7.1: whole, byte by byte, cut at every place; what is behind stays."""
    coded, body = BODIES[name]
    assert decode(coded + behind) == (body, behind)
    assert decode(*(bytes([byte]) for byte in coded + behind)) == (body, behind)
    for cut in range(len(coded)):
        assert decode(coded[:cut], coded[cut:] + behind) == (body, behind)


WRONG = {
    "no size": b"\r\n",
    "a sign": b"+5\r\nhello\r\n",
    "a space before": b" 5\r\nhello\r\n",
    "a space behind": b"5 \r\nhello\r\n",
    "no hexadecimal digit": b"g\r\n",
    "0x": b"0x5\r\nhello\r\n",
    "digits of another script": "\u0665\r\nhello\r\n".encode(),
    "seventeen digits": b"00000000000000005\r\nhello\r\n",
    "NUL in an extension": b"5;\0\r\nhello\r\n",
    "LF in an extension": b"5;a\nb\r\nhello\r\n",
    "CR in an extension": b"5;a\rb\r\nhello\r\n",
    "longer than its size": b"5\r\nhello!\r\n0\r\n\r\n",
    "shorter than its size": b"5\r\nhell\r\n0\r\n\r\n",
    "a trailer without a name": b"0\r\n: b\r\n\r\n",
    "a trailer without a colon": b"0\r\nab\r\n\r\n",
    "a folded trailer": b"0\r\na: b\r\n c\r\n\r\n",
    "a space before the colon": b"0\r\na : b\r\n\r\n",
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong(name: str) -> None:
    """Security rules 3 and T30: refused, whole and byte by byte."""
    for pieces in ([WRONG[name]], [bytes([byte]) for byte in WRONG[name]]):
        with pytest.raises(RemoteProtocolError) as caught:
            decode(*pieces)
        assert caught.value.status == 400


def test_exactly_the_limit_passes() -> None:
    """Security rule T4: over all chunks, and refused by the size, before the data comes."""
    assert decode(b"5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", max_body=10)[0] == b"helloworld"
    for coded in (b"b\r\n", b"5\r\nhello\r\n6\r\n", b"ffffffffffffffff\r\n"):
        with pytest.raises(RemoteProtocolError) as caught:
            decode(coded, max_body=10)
        assert caught.value.status == 413


@pytest.mark.parametrize(
    "coded",
    [
        b"5;" + b"a" * 60,
        b"5;" + b"a" * 41 + b"\r\nhello\r\n0\r\n\r\n",
        b"1;aaaaaaaaaaaaaaaaaaaa\r\nx\r\n" * 3,
        b"0\r\n" + b"a: bbbbbbbbbbbbbbbbb\r\n" * 3 + b"\r\n",
        b"0\r\na: " + b"b" * 60,
    ],
)
def test_extensions_and_trailers_count(coded: bytes) -> None:
    """Security rule 9: to one bound, whether their line comes to its end or not."""
    for pieces in ([coded], [bytes([byte]) for byte in coded]):
        with pytest.raises(RemoteProtocolError) as caught:
            decode(*pieces)
        assert caught.value.status == 431


@given(st.lists(st.binary(min_size=1, max_size=9), max_size=9), st.data())
def test_any_chunks_in_any_pieces(chunks: list[bytes], data: st.DataObject) -> None:
    coded = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(coded)), max_size=5)))
    pieces = [coded[a:b] for a, b in zip([0, *cuts], [*cuts, len(coded)], strict=True)]
    assert decode(*pieces) == (b"".join(chunks), b"")


@given(st.binary())
def test_any_bytes(coded: bytes) -> None:
    """A body, an error of the peer's, or more is needed."""
    status = None
    try:
        ChunkedBody(100, 40).take(bytearray(coded))
    except RemoteProtocolError as error:
        status = error.status
    assert status in (None, 400, 413, 431)

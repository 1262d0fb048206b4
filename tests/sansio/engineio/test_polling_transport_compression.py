"""Answers to polls, compressed for those who accept it."""

from __future__ import annotations

import gzip
import zlib

import pytest
from support.engineio import Serve, only_socket
from support.transcript import Pipe, request_bytes

LONG = "hello " * 1000


def poll(pipe: Pipe, sid: str, accept: str = "gzip, deflate, br") -> None:
    """Send a GET that accepts compressed answers."""
    query = f"EIO=4&transport=polling&sid={sid}"
    pipe.send(request_bytes("GET", query=query, Accept_Encoding=accept))


def answer(pipe: Pipe) -> tuple[dict[str, str], bytes]:
    """The headers and the body of what has come."""
    head, _, body = pipe.take().partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    return {name.lower(): value for name, value in (line.split(": ") for line in lines)}, body


@pytest.mark.parametrize(
    ("accept", "coding"), [("gzip, deflate, br", "gzip"), ("deflate", "deflate"), ("br", None)]
)
def test_on_by_default(serve: Serve, accept: str, coding: str | None) -> None:
    """Feature row 11: by Accept-Encoding, from 1024 bytes on."""
    app, driver = serve()
    sid = driver.poll_handshake()
    only_socket(app).send(LONG)
    pipe = driver.connect()
    poll(pipe, sid, accept)
    headers, body = answer(pipe)
    assert headers.get("content-encoding") == coding
    assert headers["vary"] == "Accept-Encoding"
    assert headers["cache-control"] == "no-store"
    assert headers["content-length"] == str(len(body))
    if coding is not None:
        assert len(body) < 100
        body = zlib.decompress(body, 31 if coding == "gzip" else 15)
    assert body == b"4" + LONG.encode()


def test_a_parked_poll(serve: Serve) -> None:
    """What its request accepted counts, when the answer comes at last; also for binary data."""
    app, driver = serve(cors_allowed_origins=("https://a.example",))
    sid = driver.poll_handshake()
    pipe = driver.connect()
    poll(pipe, sid)
    only_socket(app).send(bytes(3000))
    driver.settle()
    headers, body = answer(pipe)
    assert headers["vary"] == "Origin, Accept-Encoding"
    assert gzip.decompress(body) == b"b" + b"AAAA" * 1000


@pytest.mark.parametrize(("length", "compressed"), [(1022, False), (1023, True)])
def test_threshold(serve: Serve, length: int, compressed: bool) -> None:
    """Of the whole payload; below it an answer says nothing of codings."""
    app, driver = serve()
    sid = driver.poll_handshake()
    only_socket(app).send("x" * length)
    pipe = driver.connect()
    poll(pipe, sid)
    headers, _ = answer(pipe)
    assert ("content-encoding" in headers) is compressed
    assert ("vary" in headers) is compressed


def test_a_threshold_of_ones_own(serve: Serve) -> None:
    app, driver = serve(http_compression_threshold=50)
    sid = driver.poll_handshake()
    only_socket(app).send("x" * 49)
    pipe = driver.connect()
    poll(pipe, sid)
    headers, body = answer(pipe)
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == b"4" + b"x" * 49


def test_off(serve: Serve) -> None:
    app, driver = serve(http_compression=False)
    sid = driver.poll_handshake()
    only_socket(app).send(LONG)
    pipe = driver.connect()
    poll(pipe, sid)
    headers, body = answer(pipe)
    assert not {"content-encoding", "vary"} & headers.keys()
    assert body == b"4" + LONG.encode()


@pytest.mark.parametrize(("others", "compressed"), [([False], False), ([False, True], True)])
def test_messages_not_to_be_compressed(serve: Serve, others: list[bool], compressed: bool) -> None:
    """Feature row 40: a payload is, as soon as one message in it may be."""
    app, driver = serve()
    sid = driver.poll_handshake()
    for compress in others:
        only_socket(app).send(LONG, compress=compress)
    pipe = driver.connect()
    poll(pipe, sid)
    assert ("content-encoding" in answer(pipe)[0]) is compressed


def test_the_first_payload(serve: Serve) -> None:
    """A handshake with a long initial packet is an answer like any other."""
    _, driver = serve(initial_packet=LONG)
    pipe = driver.connect()
    query = "EIO=4&transport=polling"
    pipe.send(request_bytes("GET", query=query, Accept_Encoding="gzip"))
    headers, body = answer(pipe)
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body).endswith(b"\x1e4" + LONG.encode())


def test_bodies_of_requests_are_never_inflated(serve: Serve) -> None:
    """Security rule 8: what calls itself compressed is read as it is, and is no UTF-8."""
    _, driver = serve()
    sid = driver.poll_handshake()
    for body, status in ((gzip.compress(b"4x"), 400), (b"4x", 200)):
        pipe = driver.connect()
        query = f"EIO=4&transport=polling&sid={sid}"
        answered = pipe.request("POST", query=query, body=body, Content_Encoding="gzip")
        assert answered.status == status
        sid = driver.poll_handshake()

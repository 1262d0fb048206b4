"""Packets by polling: payloads and their limits, one GET and one POST at a time."""

from __future__ import annotations

import pytest
from support.engineio import (
    BAD_REQUEST,
    POLLING,
    UNKNOWN_SESSION,
    Serve,
    only_socket,
    post_bytes,
    record,
    taken,
)
from support.transcript import engineio

# Payloads


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        ("4hello", ["hello"]),
        ("4", [""]),
        ("4€", ["€"]),
        ("4a\x1e4b\x1e4c", ["a", "b", "c"]),
        ("bAQIDBA==", [b"\x01\x02\x03\x04"]),
        ("b", [b""]),
        ("4a\x1ebAA==\x1e4b", ["a", b"\0", "b"]),
        ('4{"a":"4\\u001e"}', ['{"a":"4\\u001e"}']),
        ("4true", ["true"]),
        ("4-5", ["-5"]),
        ("4" + "[" * 100_000, ["[" * 100_000]),
        ("3", []),
        ("4a\x1e3\x1e4b", ["a", "b"]),
    ],
)
def test_post(body: str, messages: list[str | bytes], serve: Serve) -> None:
    """Protocol rules 7, 9, 10, 14 to 16: messages as they are, and `ok` when all have come."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    answer = driver.post(sid, body)
    assert (answer.status, answer.body) == (200, "ok")
    assert events == [("connection",), *(("message", message) for message in messages)]


@pytest.mark.parametrize("kind", ["text/plain;charset=UTF-8", "application/octet-stream", "x"])
def test_post_of_any_type(serve: Serve, kind: str) -> None:
    """Protocol rule 11: always text, and the declared type plays no part."""
    app, driver = serve()
    events = record(app)
    query = f"{POLLING}&sid={driver.poll_handshake()}"
    answer = driver.connect().request("POST", query=query, body="4é", Content_Type=kind)
    assert answer.body == "ok"
    assert events[1:] == [("message", "é")]


def test_chunked_post(serve: Serve) -> None:
    """Security rule 29: it works."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    head = post_bytes(sid, "").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    pipe = driver.connect()
    pipe.send(head + b"2\r\n4h\r\n4\r\nello\r\n0\r\n\r\n")
    assert taken(pipe).body == "ok"
    assert events[1:] == [("message", "hello")]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\x1e",
        "4a\x1e",
        "\x1e4a",
        "4a\x1e\x1e4b",
        "hello",
        "7",
        "٤hello",
        "²",
        " 4a",
        "\ufeff4a",
        "b!",
        "bAQIDBA",
        "bAQIDBA= =",
        "bAQID BA==",
        "4a\x1ebAQIDBB==",
        "B",
        b"4\xff",
        b"\x80",
        b"4a\x1e4\xc3",
    ],
)
def test_malformed_payload(serve: Serve, body: str | bytes) -> None:
    """Protocol rules 10, 12, 13, 15 and 94: nothing of it is delivered, and the session ends."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    poll = driver.get(sid)
    answer = driver.post(sid, body)
    assert (answer.status, answer.body) == (400, BAD_REQUEST)
    assert taken(poll).body == "1"
    assert events == [("connection",), ("close", "parse error")]
    refused = taken(driver.get(sid))
    assert (refused.status, refused.body) == (400, UNKNOWN_SESSION)


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        ("0", "parse error"),
        ('0{"sid":"x"}', "parse error"),
        ("2", "transport error"),
        ("2probe", "transport error"),
        ("5", "parse error"),
        ("6", "parse error"),
    ],
)
def test_packet_that_no_client_sends(serve: Serve, packet: str, reason: str) -> None:
    """Protocol rules 21, 36 and 94: refused and closed; the server pings, and nobody else."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    answer = driver.post(sid, f"4before\x1e{packet}\x1e4after")
    assert (answer.status, answer.body) == (400, BAD_REQUEST)
    assert events == [("connection",), ("message", "before"), ("close", reason)]


def test_get_brings_what_waits(serve: Serve) -> None:
    """Protocol rules 9 and 10: all of it in one answer, in order."""
    app, driver = serve()
    sid = driver.poll_handshake()
    socket = only_socket(app)
    for data in ("a", b"\x01\x02\x03\x04", "", b"", "é"):
        socket.send(data)
    driver.settle()
    pipe = driver.get(sid)
    assert taken(pipe).body == "4a\x1ebAQIDBA==\x1e4\x1eb\x1e4é"
    assert driver.get(sid, pipe).answer() is None
    socket.send("later")
    assert taken(pipe).body == "4later"


def test_parked_get_waits_as_long_as_it_takes(serve: Serve) -> None:
    """Security rules 10 and T12: until the ping at the latest, whatever keep-alive allows."""
    _, driver = serve(ping_interval=200.0, keep_alive_timeout=75.0)
    pipe = driver.get(driver.poll_handshake())
    driver.advance(199.9)
    assert pipe.answer() is None
    driver.advance(0.1)
    assert taken(pipe).body == "2"


# Limits


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("text", "size"), [("x", 1), ("€", 3), ("😀", 4)])
def test_max_payload(text: str, size: int, chunked: bool) -> None:
    """Security rule T4, protocol rule 19: bytes, not characters, and exactly so many pass.

    What is over is refused without a body, and the session lives on.
    """
    app, driver = engineio(max_payload=1_000_000)
    events = record(app)
    sid = driver.poll_handshake()
    letters = 999_999 // size
    padding = "-" * (999_999 - letters * size)
    for extra, status in (("", 200), ("x", 413), ("", 200)):
        body = f"4{text * letters}{padding}{extra}".encode()
        request = post_bytes(sid, body)
        if chunked:
            head = request.replace(f"Content-Length: {len(body)}".encode(), b"Transfer-Encoding: ")
            head = head[: -len(body) - 4] + b"chunked\r\n\r\n"
            rest = body[600_000:]
            request = head + b"927c0\r\n%b\r\n%x\r\n%b\r\n" % (body[:600_000], len(rest), rest)
            request += b"0\r\n\r\n"
        pipe = driver.connect()
        pipe.send(request)
        answer = taken(pipe)
        assert (answer.status, answer.body) == (status, "ok" if status == 200 else "")
        assert pipe.wire.closing is (status == 413)
    assert [name for name, *_ in events] == ["connection", "message", "message"]
    assert [len(data) for _, data in events[1:]] == [letters + len(padding)] * 2


def test_too_large_while_it_arrives(serve: Serve) -> None:
    """Protocol rule 19: the POST is over with its refusal, and the next one is no overlap."""
    app, driver = serve(max_payload=10)
    events = record(app)
    sid = driver.poll_handshake()
    head = post_bytes(sid, "").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    pipe = driver.connect()
    pipe.send(head + b"5\r\n4aaaa\r\n")
    pipe.send(b"6\r\n")
    assert taken(pipe).status == 413
    assert driver.post(sid, "4123456789").status == 200
    assert events[1:] == [("message", "123456789")]


@pytest.mark.parametrize(("packets", "status"), [(4, 200), (5, 400)])
def test_max_packets(serve: Serve, packets: int, status: int) -> None:
    """Security rule 29: more in one payload are refused whole, and the session ends."""
    app, driver = serve(max_packets=4)
    events = record(app)
    sid = driver.poll_handshake()
    assert driver.post(sid, "\x1e".join(["4a"] * packets)).status == status
    expected = [("message", "a")] * 4 if status == 200 else [("close", "parse error")]
    assert events == [("connection",), *expected]


def test_default_number_of_packets() -> None:
    """Security rule 29: the largest POST full of packets is handled, or refused, in one go."""
    app, driver = engineio()
    events = record(app)
    sid = driver.poll_handshake()
    assert driver.post(sid, "\x1e".join(["4"] * app.config.max_packets)).status == 200
    assert len(events) == 1 + app.config.max_packets
    assert driver.post(sid, "\x1e".join(["4"] * 500_000)).status == 400
    assert events[-1] == ("close", "parse error")


# One GET and one POST at a time


def test_overlap_of_gets(serve: Serve) -> None:
    """Protocol rule 27, security rule T23: the second is refused, the first gets the close."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    first, second = driver.get(sid), driver.get(sid)
    assert taken(second).status == 400
    answer = taken(first)
    assert (answer.status, answer.body) == (200, "1")
    assert events == [("connection",), ("close", "transport error")]
    assert taken(driver.get(sid)).body == UNKNOWN_SESSION


def test_overlap_of_gets_with_packets(serve: Serve) -> None:
    """Protocol rule 27: what the first GET was to bring comes before the close."""
    app, driver = serve()
    sid = driver.poll_handshake()
    first = driver.get(sid)
    first.writable = False
    only_socket(app).send("hello")
    assert taken(driver.get(sid)).status == 400
    first.pull()
    assert taken(first).body == "4hello\x1e1"


def test_get_behind_a_get_is_no_overlap(serve: Serve) -> None:
    """On one connection the second waits for the first one's answer, as pipelining has it."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    pipe = driver.get(sid)
    driver.get(sid, pipe)
    only_socket(app).send("one")
    driver.settle()
    assert taken(pipe).body == "4one"
    assert pipe.answer() is None
    only_socket(app).send("two")
    assert taken(pipe).body == "4two"
    assert events == [("connection",)]


@pytest.mark.parametrize("second", ["whole", "head"])
@pytest.mark.parametrize("then", ["the rest", "nothing", "loss"])
def test_overlap_of_posts(serve: Serve, second: str, then: str) -> None:
    """Protocol rule 28, security rule T23: from its head on a POST is under way."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    poll = driver.get(sid)
    request = post_bytes(sid, "4hello")
    first, other = driver.connect(), driver.connect()
    first.send(request[:-3])
    other.send(request if second == "whole" else request[:-3])
    answer = taken(other)
    assert (answer.status, answer.body) == (400, BAD_REQUEST)
    assert taken(poll).body == "1"
    if then == "the rest":
        first.send(request[-3:])
        assert taken(first).body == UNKNOWN_SESSION
    elif then == "loss":
        first.lose()
    assert events == [("connection",), ("close", "transport error")]


def test_posts_one_after_the_other(serve: Serve) -> None:
    """No overlap: on one connection and on several, and pipelined."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    pipe = driver.connect()
    pipe.send(post_bytes(sid, "4a") + post_bytes(sid, "4b") + post_bytes(sid, "4c")[:-1])
    assert [taken(pipe).body, taken(pipe).body, pipe.answer()] == ["ok", "ok", None]
    pipe.send(b"c")
    assert taken(pipe).body == "ok"
    assert driver.post(sid, "4d").body == "ok"
    assert events[1:] == [("message", data) for data in "abcd"]


def test_pipelined_post_is_claimed_by_its_head(serve: Serve) -> None:
    """Protocol rule 28: also where its head came with the end of the one before."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    request = post_bytes(sid, "4hello")
    pipe = driver.connect()
    pipe.send(request[:-1])
    pipe.send(request[-1:] + request[:-1])
    assert driver.post(sid, "4hello").status == 400
    assert events[1:] == [("message", "hello"), ("close", "transport error")]


def test_get_beside_a_post(serve: Serve) -> None:
    """Security rule T23: one of each."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    request = post_bytes(sid, "4hello")
    post = driver.connect()
    post.send(request[:-1])
    poll = driver.get(sid)
    only_socket(app).send("down")
    assert taken(poll).body == "4down"
    post.send(request[-1:])
    assert taken(post).body == "ok"
    assert events == [("connection",), ("message", "hello")]


def test_get_with_a_body_beside_a_post(serve: Serve) -> None:
    """Security rule T23: it is a GET all the same, and means nothing before it is whole."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    get = driver.connect()
    get.send(post_bytes(sid, "4hello").replace(b"POST", b"GET")[:-1])
    assert driver.post(sid, "4a").body == "ok"
    get.send(b"o")
    only_socket(app).send("down")
    assert taken(get).body == "4down"
    assert events == [("connection",), ("message", "a")]


def test_sessions_do_not_overlap(serve: Serve) -> None:
    """Each has its own GET and POST."""
    app, driver = serve()
    record(app)
    first, second = driver.poll_handshake(), driver.poll_handshake()
    polls = [driver.get(sid) for sid in (first, second)]
    halves = [(driver.connect(), post_bytes(sid, "4hello")) for sid in (first, second)]
    for pipe, request in halves:
        pipe.send(request[:-1])
    for pipe, request in halves:
        pipe.send(request[-1:])
        assert taken(pipe).body == "ok"
    assert [poll.answer() for poll in polls] == [None, None]

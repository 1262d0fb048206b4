"""Whose session a request is for, and what a connection takes along to another worker."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.engineio import POLLING, UNKNOWN_SESSION, WEBSOCKET, post_bytes, record, taken
from support.neighbours import worker
from support.transcript import (
    Driver,
    Pipe,
    WebSocketPipe,
    engineio,
    request_bytes,
    websocket_request_bytes,
)

from sansocket.sansio.engineio.neighbours import (
    decode_handover,
    encode_handover,
    owned,
    owner,
)
from sansocket.sansio.engineio.peer import Peer
from sansocket.sansio.errors import RemoteProtocolError
from sansocket.sansio.request import Request

BY_PROXY = {"X-Forwarded-For": "192.0.2.9"}
HANDSHAKE = request_bytes("GET", query=POLLING, **BY_PROXY)


def pass_on(pipe: Pipe, driver: Driver) -> Pipe:
    """Hand the connection over to the server of that driver, with what it had to say before."""
    assert driver.core.engine.neighbours is not None
    assert pipe.wire.destination == driver.core.engine.neighbours.name
    assert pipe.wire.paused
    peer, data = decode_handover(pipe.wire.handover, None)
    pipe.lose()
    other = driver.connect(peer)
    other.output += pipe.take()
    other.send(data)
    return other


def get(sid: str) -> bytes:
    return request_bytes("GET", query=f"{POLLING}&sid={sid}")


# The names of sessions


@pytest.mark.parametrize(
    ("sid", "name"),
    [
        ("AAAA.1", "1"),
        ("AAAA.123456789", "123456789"),
        ("A.B.2", "2"),
        (".2", "2"),
        ("AAAA", None),
        ("AAAA.", None),
        ("AAAA.1234567890", None),
        ("AAAA.a", None),
        ("AAAA.-1", None),
        ("AAAA.../1", None),
        ("AAAA.\u0663", None),
        ("AAAA.1\n", None),
        ("", None),
    ],
)
def test_the_owner_is_the_end_of_the_id(sid: str, name: str | None) -> None:
    """Security rule 18: ASCII digits, and nothing that could be a path."""
    assert owner(Request("GET", "/", {"sid": sid}, ())) == name


def test_a_request_without_a_session_has_no_owner() -> None:
    assert owner(Request("GET", "/", {}, ())) is None


@given(st.text(alphabet="-._~09AZaz"), st.integers(0, 999_999_999))
def test_what_is_owned_has_its_owner(sid: str, number: int) -> None:
    """Ids of the application's own making included."""
    assert owner(Request("GET", "/", {"sid": owned(sid, str(number))}, ())) == str(number)


def test_ids_keep_their_random_bits() -> None:
    """Security rule 32: the name comes behind the 120 random bits."""
    _, alone = engineio()
    _, driver = worker("7")
    assert driver.poll_handshake() == f"{alone.poll_handshake()}.7"


def test_ids_of_the_application_are_owned_too() -> None:
    _, driver = worker("7", generate_id=lambda request: "x.y")
    assert driver.poll_handshake() == "x.y.7"


# What goes along


@given(st.text(), st.booleans(), st.floats(0, 1e10), st.binary())
def test_a_handover_comes_as_it_went(address: str, secure: bool, since: float, data: bytes) -> None:
    message = encode_handover(Peer(address, secure, since, "here"), data)
    assert decode_handover(message, "there") == (Peer(address, secure, since, "there"), data)


@given(st.binary())
def test_no_bytes_are_more_than_no_handover(message: bytes) -> None:
    """Security rule T35: read against a schema, or refused."""
    with suppress(RemoteProtocolError):
        decode_handover(message, None)


@pytest.mark.parametrize(
    "message",
    [b"", b"\x94", msgspec.msgpack.encode(["", False, 0.0]), msgspec.msgpack.encode({"data": b""})],
)
def test_what_is_no_handover(message: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_handover(message, None)


# A connection that goes to another worker


@pytest.mark.parametrize("pieces", ["whole", "bytewise"])
def test_a_poll_finds_its_session(pieces: str) -> None:
    """The connection goes to the session's worker, however its request was cut."""
    _, one = worker("1")
    app, two = worker("2")
    one.bytewise = pieces == "bytewise"
    sid = two.poll_handshake()
    pipe = one.connect()
    pipe.send(get(sid))
    other = pass_on(pipe, two)
    assert other.answer() is None
    next(iter(app.sockets.values())).send("hi")
    two.settle()
    assert taken(other).body == "4hi"


@given(st.data())
def test_any_split(data: st.DataObject) -> None:
    """Requests for both workers on one connection, in pieces, each answered by its session's."""
    _, one = worker("1")
    app, two = worker("2")
    events = record(app)
    own, foreign = one.poll_handshake(), two.poll_handshake()
    body = data.draw(st.text(alphabet="abc", max_size=40))
    mine = [post_bytes(own, "4x") for _ in range(data.draw(st.integers(0, 3)))]
    theirs = [post_bytes(foreign, f"4{body}{n}") for n in range(data.draw(st.integers(1, 3)))]
    sent = b"".join([*mine, *theirs])
    cuts = sorted({0, len(sent), *data.draw(st.lists(st.integers(0, len(sent)), max_size=5))})
    pieces = [sent[start:end] for start, end in pairwise(cuts)]
    pipe = one.connect()
    for piece in pieces:
        if pipe.wire.destination is not None:
            pipe = pass_on(pipe, two)
        pipe.send(piece)
    if pipe.wire.destination is not None:
        pipe = pass_on(pipe, two)
    assert [taken(pipe).body for _ in [*mine, *theirs]] == ["ok"] * len([*mine, *theirs])
    assert pipe.take() == b""
    assert events == [("connection",), *(("message", f"{body}{n}") for n in range(len(theirs)))]


@pytest.mark.parametrize(
    "handshake", [HANDSHAKE, websocket_request_bytes(query=WEBSOCKET, **BY_PROXY)]
)
@pytest.mark.parametrize("before", ["a handshake", "a session"])
def test_a_new_session_of_a_shared_connection_is_for_anyone(before: str, handshake: bytes) -> None:
    """A proxy keeps connections for all its clients, and they go where the sessions are: the
    worker that has most would get the next ones too."""
    _, one = worker("1", chosen="2")
    app, two = worker("2", chosen="1")
    pipe = one.connect()
    pipe.send(HANDSHAKE if before == "a handshake" else post_bytes(one.poll_handshake(), "4hi"))
    assert taken(pipe).status == 200
    pipe.send(handshake)
    pass_on(pipe, two)
    assert [socket.id[-2:] for socket in app.sockets.values()] == [".2"]


@pytest.mark.parametrize("pipelined", [1, 2, 20])
def test_clients_who_all_shake_hands_over_one_connection(pipelined: int) -> None:
    """A proxy with many new clients may need no second connection for their handshakes, and none
    of them has asked for more yet: no worker has them all."""
    drivers = {name: worker(name, chosen=str(3 - int(name)))[1] for name in "12"}
    pipe = drivers["1"].connect()
    for _ in range(20 // pipelined):
        pipe.send(HANDSHAKE * pipelined)
        while pipe.wire.destination is not None:
            pipe = pass_on(pipe, drivers[pipe.wire.destination])
    sids = [json.loads(taken(pipe).body[1:])["sid"] for _ in range(20)]
    assert [sid[-2:] for sid in sids] == [".1", ".2"] * 10


@pytest.mark.parametrize("method", ["OPTIONS", "POST", "PUT"])
def test_what_opens_no_session_takes_no_turn(method: str) -> None:
    """A preflight is answered where it comes, and so is what will be refused."""
    _, one = worker("1", chosen="2")
    pipe = one.connect()
    pipe.send(request_bytes(method, query=POLLING) + HANDSHAKE + request_bytes(method))
    assert pipe.wire.destination is None
    assert taken(pipe).status in (204, 400)
    assert taken(pipe).body.startswith("0{")


def test_nobody_else_may_be_chosen() -> None:
    """Chance may mean this worker; and behind TLS nobody is asked, for the bytes would only
    be carried through this one."""
    for chosen, peer in (("", Peer("192.0.2.1")), ("2", Peer("192.0.2.1", secure=True))):
        app, one = worker("1", chosen=chosen)
        pipe = one.connect(peer)
        pipe.send(post_bytes(one.poll_handshake(), "4hi"))
        pipe.send(HANDSHAKE)
        assert pipe.wire.destination is None
        assert len(app.sockets) == 2


def test_other_requests_of_a_shared_connection_stay() -> None:
    """Only what the engine serves is anybody's."""
    _, one = worker("1", chosen="2")
    pipe = one.connect()
    pipe.send(post_bytes(one.poll_handshake(), "4hi"))
    pipe.take()
    pipe.send(request_bytes("GET", path="/elsewhere"))
    assert pipe.wire.destination is None


def test_what_came_before_is_answered_first() -> None:
    """A pipelined request for another worker waits for the answer before it."""
    app, one = worker("1")
    _, two = worker("2")
    own, foreign = one.poll_handshake(), two.poll_handshake()
    pipe = one.connect()
    pipe.send(get(own) + post_bytes(foreign, "4hi"))
    assert pipe.wire.destination is None
    next(iter(app.sockets.values())).send("first")
    one.settle()
    pipe = pass_on(pipe, two)
    assert [taken(pipe).body, taken(pipe).body] == ["4first", "ok"]


def test_from_worker_to_worker() -> None:
    """A connection that is kept alive goes wherever its next request has to."""
    _, one = worker("1")
    _, two = worker("2")
    own, foreign = one.poll_handshake(), two.poll_handshake()
    pipe = one.connect()
    for _ in range(3):
        pipe.send(post_bytes(foreign, "4hi"))
        pipe = pass_on(pipe, two)
        pipe.send(post_bytes(own, "4hi"))
        assert pipe.wire.destination == "1"
        peer, data = decode_handover(pipe.wire.handover, None)
        assert peer.address == "192.0.2.1"
        back = one.connect(peer)
        back.output += pipe.take()
        pipe = back
        pipe.send(data)
    assert [taken(pipe).body for _ in range(6)] == ["ok"] * 6


def test_the_websocket_of_an_upgrade() -> None:
    """It probes where the session is; what came behind its request goes along."""
    _, one = worker("1")
    app, two = worker("2")
    sid = two.poll_handshake()
    pipe = one.connect()
    pipe.send(websocket_request_bytes(query=f"{WEBSOCKET}&sid={sid}"))
    websocket = WebSocketPipe(pass_on(pipe, two))
    websocket.send("2probe")
    assert websocket.take() == ["3probe"]
    websocket.send("5")
    assert app.sockets[sid].transport == "websocket"


def test_nobody_is_told_to_continue_twice() -> None:
    """The worker that answers is the one that says "100 Continue"."""
    _, one = worker("1")
    _, two = worker("2")
    sid = two.poll_handshake()
    head, _, body = post_bytes(sid, "4hi").partition(b"\r\n\r\n")
    pipe = one.connect()
    pipe.send(head + b"\r\nExpect: 100-continue\r\n\r\n")
    assert pipe.take() == b""
    pipe = pass_on(pipe, two)
    assert pipe.take().startswith(b"HTTP/1.1 100")
    pipe.send(body)
    assert taken(pipe).body == "ok"


# A connection that stays


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PUT"])
def test_no_such_worker(method: str) -> None:
    """Protocol rule 2: the session is unknown, and that is told at once."""
    _, one = worker("1")
    pipe = one.connect()
    pipe.send(request_bytes(method, query=f"{POLLING}&sid=AAAA.9", body=b"4hi"))
    assert pipe.wire.destination == "9"
    pipe.wire.keep(one.now)
    pipe.wire.keep(one.now)
    one.settle()
    answer = taken(pipe)
    assert (answer.status, answer.body) == (400, UNKNOWN_SESSION)
    assert not pipe.wire.paused


def test_no_such_worker_for_a_websocket() -> None:
    """Protocol rule 3: refused before the upgrade."""
    _, one = worker("1")
    pipe = one.connect()
    pipe.send(websocket_request_bytes(query=f"{WEBSOCKET}&sid=AAAA.9"))
    pipe.wire.keep(one.now)
    answer = taken(pipe)
    assert (answer.status, answer.body) == (400, UNKNOWN_SESSION)


def test_an_id_of_this_worker_that_is_unknown() -> None:
    """It goes nowhere: there is no circle of workers that pass a connection on."""
    _, one = worker("1")
    pipe = one.connect()
    assert pipe.request("GET", query=f"{POLLING}&sid=AAAA.1").body == UNKNOWN_SESSION
    assert pipe.wire.destination is None


def test_other_paths_are_not_looked_at() -> None:
    _, one = worker("1")
    pipe = one.connect()
    assert pipe.request("GET", path="/page", query="sid=AAAA.2").status == 404


def test_alone_an_id_with_a_name_is_just_unknown() -> None:
    """Without other workers nothing is handed over."""
    _, one = engineio()
    pipe = one.connect()
    assert pipe.request("GET", query=f"{POLLING}&sid=AAAA.2").body == UNKNOWN_SESSION
    assert pipe.wire.destination is None


def test_waiting_for_another_worker_has_an_end() -> None:
    """Security rule 10: one that takes no connection does not keep the client for ever."""
    app, one = worker("1")
    pipe = one.connect()
    assert pipe.request("GET", query=POLLING).status == 200
    pipe.send(request_bytes("GET", query=f"{POLLING}&sid=AAAA.2"))
    assert pipe.wire.destination == "2"
    one.advance(app.config.head_timeout)
    assert taken(pipe).status == 408
    assert pipe.wire.destination is None
    assert pipe.wire.closing


def test_what_is_kept_while_it_waits_is_bounded() -> None:
    """A peer that sends on although nobody reads gets no further than the bound."""
    _, one = worker("1")
    pipe = one.connect()
    pipe.send(request_bytes("POST", query=f"{POLLING}&sid=AAAA.2", body=bytes(1000)))
    pipe.send(bytes(70_000))
    assert pipe.wire.closing
    assert pipe.wire.destination is None


def test_a_server_that_ends_hands_nothing_over() -> None:
    _, one = worker("1")
    pipe = one.connect()
    pipe.send(request_bytes("GET", query=f"{POLLING}&sid=AAAA.2"))
    pipe.wire.finish()
    assert pipe.wire.destination is None
    assert pipe.wire.closing

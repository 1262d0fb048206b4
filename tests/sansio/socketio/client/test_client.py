"""Connections of a client: attempts, losses, and who is told (rules 84, 85, 86, 90)."""

from __future__ import annotations

from typing import Any

import pytest
from support.fake_engine import Rig, record, record_client, uniform_entropy

from sansocket.sansio.errors import LocalProtocolError, Reason, RemoteProtocolError, TransportError
from sansocket.sansio.socketio.client.states import ClientState

ALL = ("open", "close", "error", "reconnect_attempt", "reconnect", "reconnect_error")


def test_a_connection_from_the_first_to_the_last() -> None:
    """Nothing is opened before a socket wants it, and nothing stays."""
    rig = Rig()
    client = rig.client
    told = record_client(client, *ALL)
    socket = client.socket()
    assert repr(client) == "<Client server.example closed>"
    assert rig.engines == []
    socket.connect()
    rig.settle()
    assert repr(client) == "<Client server.example opening>"
    assert rig.engine.opening_since == rig.now
    assert rig.open() == ["0"]
    assert repr(client) == "<Client server.example open>"
    assert rig.accept() == []
    socket.disconnect()
    rig.settle()
    assert rig.engine.take() == ["1"]
    assert client.state is ClientState.CLOSED
    assert (client.members, client.links, len(client.timers)) == ({}, set(), 0)
    assert told == [("open",), ("close", "forced close", None)]


def test_the_last_socket_takes_the_connection_with_it() -> None:
    """Rule 90: not before."""
    rig = Rig()
    first, second = rig.joined("/a"), rig.joined("/b")
    first.disconnect()
    rig.settle()
    assert rig.engine.take() == ["1/a,"]
    assert rig.engine.ended is None
    rig.receive("1/b,")
    assert not second.active
    assert rig.engine.closing
    first.connect()
    assert rig.open() == ["0/a,"]
    assert len(rig.engines) == 2


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        (Reason.TRANSPORT_CLOSE, None),
        (Reason.TRANSPORT_ERROR, TransportError("xhr poll error", status=400)),
        (Reason.PING_TIMEOUT, None),
        (Reason.FORCED_CLOSE, None),
        (Reason.SEND_BUFFER_FULL, None),
    ],
)
def test_a_lost_connection_is_made_again(reason: Reason, error: Exception | None) -> None:
    """Rule 86: each active socket asks again; the reasons of the engine are the application's."""
    rig = Rig()
    sockets = [rig.joined("/", "one"), rig.joined("/a", "two")]
    told = [record(socket, "connect", "disconnect") for socket in sockets]
    notices = record_client(rig.client, *ALL)
    rig.lose(reason, error)
    assert [socket.active for socket in sockets] == [True, True]
    assert [socket.connected for socket in sockets] == [False, False]
    assert rig.client.state is ClientState.WAITING
    rig.advance(0.99)
    assert len(rig.engines) == 1
    rig.advance(0.01)
    assert rig.open() == ["0", "0/a,"]
    rig.accept("/a", "four")
    rig.accept("/", "three")
    assert [socket.id for socket in sockets] == ["three", "four"]
    assert told == [[("disconnect", str(reason), error), ("connect",)]] * 2
    assert notices == [
        ("close", str(reason), error),
        ("reconnect_attempt", 1),
        ("open",),
        ("reconnect", 1),
    ]


def test_garbage_is_a_parse_error_and_tried_again() -> None:
    """Section 15 of the features: "parse error", and the client comes back."""
    rig = Rig()
    socket = rig.joined()
    told = record(socket, "disconnect")
    rig.receive('2["connect"]')
    [(name, reason, details)] = told
    assert (name, reason) == ("disconnect", "parse error")
    assert isinstance(details, RemoteProtocolError)
    rig.advance(1)
    assert rig.rejoin() == []
    assert rig.runtime.logged == []


def test_attempts_that_fail() -> None:
    """Rule 84: the delays grow until one succeeds, and begin anew with the next loss."""
    rig = Rig()
    socket = rig.joined()
    told = record(socket, "connect_error")
    notices = record_client(rig.client, *ALL)
    rig.lose()
    errors: list[TransportError] = []
    for number, delay in enumerate((1.0, 2.0, 4.0, 5.0, 5.0), 1):
        assert rig.client.next_attempt == (number, delay)
        deadline = rig.client.next_deadline()
        assert deadline is not None
        assert deadline - rig.now == pytest.approx(delay)
        rig.advance(delay)
        assert rig.client.next_attempt is None
        errors.append(rig.fail())
    assert told == [("connect_error", error) for error in errors]
    rig.advance(5)
    rig.rejoin()
    assert [name for name, *_ in notices].count("reconnect_error") == 5
    assert notices[-1] == ("reconnect", 6)
    rig.lose()
    rig.advance(1)
    assert rig.client.state is ClientState.OPENING


def test_the_first_attempt_is_tried_again_too() -> None:
    """Row 159 of the features, as in JavaScript: `connect` of an application may not want it."""
    rig = Rig()
    socket = rig.client.socket()
    told = record(socket, "connect", "connect_error")
    notices = record_client(rig.client, *ALL)
    socket.connect()
    error = rig.fail()
    assert told == [("connect_error", error)]
    assert notices == [("error", error)]
    rig.advance(1)
    rig.rejoin()
    assert told[1:] == [("connect",)]
    assert notices[1:] == [("reconnect_attempt", 1), ("open",), ("reconnect", 1)]


def test_giving_up() -> None:
    """Row 156: after so many attempts nothing more is done, and everybody is told."""
    rig = Rig(reconnection_attempts=2)
    socket, other = rig.joined("/"), rig.joined("/a")
    told = record(socket, "connect_error")
    notices = record_client(rig.client, "reconnect_failed", "reconnect_attempt")
    rig.lose()
    for delay in (1, 2):
        assert socket.active
        rig.advance(delay)
        rig.fail()
    assert notices == [("reconnect_attempt", 1), ("reconnect_attempt", 2), ("reconnect_failed",)]
    assert len(told) == 2
    assert rig.client.state is ClientState.CLOSED
    assert not socket.active
    assert not other.active
    assert rig.client.next_deadline() is None
    socket.connect()
    assert rig.open() == ["0"]
    rig.accept()
    assert socket.connected


def test_without_reconnection() -> None:
    """Row 155: a loss is final, and so is an attempt that fails."""
    rig = Rig(reconnection=False)
    socket = rig.joined()
    told = record(socket, "disconnect", "connect_error")
    notices = record_client(rig.client, "reconnect_failed")
    rig.lose()
    assert not socket.active
    socket.connect()
    error = rig.fail()
    assert told == [("disconnect", "transport close", None), ("connect_error", error)]
    assert not socket.active
    assert rig.client.next_deadline() is None
    assert notices == []


def test_an_attempt_that_takes_too_long() -> None:
    """Row 160: it is one that has failed, with "timeout"."""
    rig = Rig(timeout=3.0)
    socket = rig.client.socket()
    told = record(socket, "connect_error")
    socket.connect()
    rig.advance(2.9)
    assert rig.engine.ended is None
    rig.advance(0.1)
    assert rig.engine.ended is not None
    [(_, error)] = told
    assert isinstance(error, TransportError)
    assert error.message == "timeout"
    rig.advance(1.0)
    rig.rejoin()
    rig.advance(10)
    assert socket.connected


def test_a_connection_that_is_lost_before_the_answer() -> None:
    """The error says what was waited for; the connection itself had no fault to tell of."""
    rig = Rig()
    socket = rig.client.socket()
    told = record(socket, "connect_error", "disconnect")
    socket.connect()
    assert rig.open() == ["0"]
    rig.lose()
    [(name, error)] = told
    assert name == "connect_error"
    assert str(error) == "transport close: the connection was lost before the CONNECT was answered"
    assert socket.active


def test_sockets_that_come_while_there_is_no_connection() -> None:
    """Row 163: they are asked for with the others."""
    rig = Rig()
    first = rig.client.socket("/a")
    first.connect()
    rig.settle()
    rig.client.socket("/b").connect()
    assert rig.open() == ["0/a,", "0/b,"]
    rig.lose()
    rig.client.socket("/c").connect()
    rig.settle()
    assert len(rig.engines) == 1
    rig.advance(1)
    assert rig.open() == ["0/a,", "0/b,", "0/c,"]


@pytest.mark.parametrize("state", ["opening", "waiting"])
def test_nobody_waits_for_an_attempt_any_more(state: str) -> None:
    """Row 176: a client that reconnects can be closed."""
    rig = Rig()
    socket = rig.joined()
    rig.lose()
    if state == "opening":
        rig.advance(1)
        assert rig.client.state is ClientState.OPENING
    socket.disconnect()
    rig.settle()
    assert rig.client.state is ClientState.CLOSED
    assert (len(rig.client.timers), rig.client.links) == (0, set())
    rig.advance(100)
    assert len(rig.engines) == (2 if state == "opening" else 1)


def test_a_new_connection_beside_one_that_is_being_closed() -> None:
    """What the old one still brings is for nobody, and its end is no loss."""
    rig = Rig()
    socket = rig.joined()
    told = record(socket, "connect", "disconnect", "x")
    old = rig.engine
    old.lingers = True
    socket.disconnect()
    socket.connect()
    rig.open()
    rig.accept()
    old.receiver.message('2["x"]', rig.now)
    old.abort(Reason.FORCED_CLOSE)
    rig.settle()
    assert told == [("disconnect", "io client disconnect", None), ("connect",)]
    assert len(rig.client.links) == 1


def test_two_sockets_of_one_namespace() -> None:
    """Rule 89: not over one connection."""
    rig = Rig()
    rig.joined("/a")
    with pytest.raises(LocalProtocolError, match="'/a'"):
        rig.client.socket("/a").connect()


def test_a_callback_of_a_lost_socket_may_disconnect_others() -> None:
    """While the sockets are told one by one, any of them may leave."""
    rig = Rig()
    first, second, third = rig.joined("/a"), rig.joined("/b"), rig.joined("/c")
    told = [record(socket, "disconnect", "connect_error") for socket in (first, second, third)]

    def gone(error: Exception | None, *values: Any) -> None:
        second.disconnect()
        first.disconnect()

    first.timeout(9).emit("x", ack=gone)
    rig.lose()
    assert [socket.active for socket in (first, second, third)] == [False, False, True]
    assert [[reason for _, reason, *_ in each] for each in told] == [
        ["transport close"],
        ["io client disconnect"],
        ["transport close"],
    ]


def test_the_same_input_gives_the_same_output() -> None:
    """Delays come of the entropy that is given, and of nothing else."""

    def run(seed: int) -> list[float]:
        rig = Rig(reconnection_attempts=5)
        entropy = uniform_entropy(seed)
        rig.entropy = entropy
        rig.joined()
        rig.lose()
        times: list[float] = []
        for _ in range(5):
            rig.advance(10)
            since = rig.engine.opening_since
            assert since is not None
            times.append(since)
            rig.fail()
        return times

    assert run(1) == run(1)
    assert run(1) != run(2)


# Options that are changed on the way


def test_options_may_be_changed() -> None:
    """Row 175: for the delays and the attempts that come after it."""
    rig = Rig()
    rig.joined()
    rig.client.set_options(reconnection_delay=3.0, reconnection_delay_max=3.5, timeout=2.0)
    rig.lose()
    rig.client.set_options(reconnection_delay=0.5)
    assert rig.client.next_attempt == (1, 3.0)
    rig.advance(3.0)
    assert rig.client.state is ClientState.OPENING
    rig.advance(2.0)
    assert rig.client.next_attempt == (2, 1.0)
    rig.entropy = lambda size: b"\xff" * size
    rig.client.set_options(randomization_factor=0.0)
    rig.advance(1.0)
    rig.fail()
    assert rig.client.next_attempt == (3, 2.0)
    rig.advance(2.0)
    rig.fail()
    assert rig.client.next_attempt == (4, 3.5)


def test_reconnection_may_be_ended_and_begun() -> None:
    """Row 175: what is waited for is still done, and is the last of it."""
    rig = Rig()
    socket = rig.joined()
    rig.lose()
    rig.client.set_options(reconnection=False)
    rig.advance(1.0)
    assert socket.active
    rig.fail()
    assert not socket.active
    rig.client.set_options(reconnection=True, reconnection_attempts=1)
    socket.connect()
    rig.fail()
    assert rig.client.next_attempt == (1, 1.0)
    rig.advance(1.0)
    rig.fail()
    assert not socket.active


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"timeout": 0.0}, "timeout"),
        ({"reconnection_attempts": 0}, "reconnection_attempts"),
        ({"reconnection_delay": 6.0}, "reconnection_delay_max"),
        ({"reconnection": None}, "reconnection"),
        ({"randomization_factor": 1.5}, "randomization_factor"),
        ({"reconnection_delay": 2.0, "retries": 3}, "retries"),
        ({"delay": 2.0}, "delay"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], word: str) -> None:
    """Checked as when they are made; nothing is changed then."""
    client = Rig().client
    before = client.config
    with pytest.raises((TypeError, ValueError), match=word):
        client.set_options(**options)
    assert client.config is before

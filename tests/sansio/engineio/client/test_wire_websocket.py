"""One connection of a client that becomes a WebSocket."""

from __future__ import annotations

from support.client_wires import KEY, SWITCH, UPGRADE, WireBench
from support.scripted_server import answer_bytes

from sansocket.sansio.engineio.encoded import encode_message
from sansocket.sansio.engineio.websocket_transport import PULL
from sansocket.sansio.errors import RemoteProtocolError


def test_messages() -> None:
    bench = WireBench()
    user = bench.switch()
    assert bench.wire.switched
    bench.give(b"\x81\x02hi\x82\x01\0\x89\x01p")
    assert user.told == ["hi", b"\0"]
    user.out = [encode_message(["x", b"y"])]
    woken = bench.woken
    bench.wire.notify()
    bench.wire.notify()
    assert bench.woken == woken
    data = bench.pull()
    assert [data[at] for at in (0, 7, 15)] == [0x8A, 0x81, 0x82]
    bench.wire.notify()
    assert bench.woken == woken + 1


def test_less_than_a_whole_pull_is_all_there_is() -> None:
    """Drivers rely on it; what its session gave for one pull may be short, once compressed."""
    bench = WireBench()
    user = bench.switch()
    pulls = [[encode_message(["a"])], [encode_message(["b"])], [encode_message([b"c" * PULL])]]
    user.outgoing = lambda: pulls.pop(0) if pulls else []  # type: ignore[method-assign]
    assert sum(map(len, bench.wire.data_to_send())) > PULL
    assert not pulls
    pulls += [[encode_message([b"d" * PULL])], [encode_message(["e"])]]
    bench.wire.data_to_send()
    assert len(pulls) == 1
    assert len(b"".join(bench.wire.data_to_send())) == 8


def test_messages_in_the_same_chunk_as_the_switch() -> None:
    bench = WireBench()
    bench.wire.connected(0.0)
    bench.wire.upgrade(UPGRADE, KEY, bench.user)
    bench.pull()
    bench.give(SWITCH + b"\x81\x02hi")
    assert bench.user.told == ["switched", "hi"]


def test_a_refused_upgrade() -> None:
    bench = WireBench()
    bench.wire.connected(0.0)
    bench.wire.upgrade(UPGRADE, KEY, bench.user)
    bench.pull()
    bench.give(answer_bytes("no", 400))
    assert bench.user.told == [(400, b"no")]
    assert not bench.wire.switched
    bench.wire.lost()
    assert len(bench.user.told) == 1


def test_a_switch_that_is_no_agreement() -> None:
    bench = WireBench()
    bench.wire.connected(0.0)
    bench.wire.upgrade(UPGRADE, "other", bench.user)
    bench.pull()
    bench.give(SWITCH + b"\x81\x02hi")
    [error] = bench.user.told
    assert isinstance(error, RemoteProtocolError)
    assert bench.wire.closing
    bench.wire.lost()
    assert len(bench.user.told) == 1


def test_a_connection_lost_before_the_switch() -> None:
    bench = WireBench()
    bench.wire.upgrade(UPGRADE, KEY, bench.user)
    bench.wire.connected(0.0)
    bench.wire.lost()
    [error] = bench.user.told
    assert isinstance(error, ConnectionError)


def test_the_server_closes() -> None:
    bench = WireBench()
    user = bench.switch()
    bench.give(b"\x88\x02\x03\xe9\x81\x02hi")
    assert user.told == ["disconnected"]
    data = bench.pull()
    assert data[:2] == b"\x88\x82"
    assert bench.wire.closing
    bench.wire.lost()
    assert user.told == ["disconnected", "disconnected"]
    assert len(bench.timers) == 0


def test_we_close() -> None:
    """After what still waits; then the server has `close_timeout` to do the same."""
    bench = WireBench(close_timeout=3.0)
    user = bench.switch()
    user.out = [encode_message(["x"])]
    user.close_code = 1000
    bench.wire.notify()
    data = bench.pull()
    assert [data[at] for at in (0, 8)] == [0x81, 0x88]
    assert not bench.wire.closing
    bench.give(b"\x81\x02hi")
    assert user.told == ["hi"]
    bench.advance(2.9)
    assert not bench.wire.closed
    woken = bench.woken
    bench.advance(0.1)
    assert bench.wire.closed
    assert bench.woken == woken + 1


def test_the_server_answers_our_close() -> None:
    bench = WireBench()
    user = bench.switch()
    user.close_code = 1000
    bench.wire.notify()
    bench.pull()
    bench.give(b"\x88\x02\x03\xe8")
    assert bench.pull() == b""
    assert bench.wire.closing
    assert not bench.wire.complete


def test_frames_that_are_wrong() -> None:
    bench = WireBench()
    user = bench.switch()
    bench.give(b"\x81\x02hi\xff\xff")
    message, error = user.told
    assert message == "hi"
    assert isinstance(error, RemoteProtocolError)
    user.close_code = error.close_code
    assert bench.pull()[:1] == b"\x88"
    assert bench.wire.closing
    bench.give(b"\x81\x02hi")
    assert len(user.told) == 2


def test_a_websocket_that_is_not_read_from() -> None:
    bench = WireBench()
    user = bench.switch()
    assert not bench.wire.paused
    user.congested = True
    assert bench.wire.paused
    [callback] = user.callbacks
    woken = bench.woken
    callback()
    assert bench.woken == woken + 1
    bench.wire.close()
    assert not bench.wire.paused


def test_polling_is_never_paused() -> None:
    bench = WireBench()
    bench.request()
    assert not bench.wire.paused

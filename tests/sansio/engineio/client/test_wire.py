"""One connection of a client between its driver and whoever uses it, as long as it is HTTP."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.client_wires import WireBench
from support.scripted_server import answer_bytes

from sansocket.sansio.engineio.client.wire import KEEP_ALIVE
from sansocket.sansio.errors import LocalProtocolError, RemoteProtocolError


def test_a_request_waits_for_the_connection() -> None:
    bench = WireBench()
    assert bench.request() == b""
    assert bench.woken == 0
    bench.wire.connected(0.0)
    assert bench.woken == 1
    assert bench.pull().startswith(b"GET / HTTP/1.1\r\n")
    assert bench.pull() == b""
    bench.give(answer_bytes("ok"))
    assert bench.user.told == [(200, b"ok")]
    assert bench.wire.available


def test_one_request_at_a_time() -> None:
    bench = WireBench()
    bench.request()
    with pytest.raises(LocalProtocolError):
        bench.request()


def test_an_idle_connection_is_not_kept_for_long() -> None:
    """A server may be about to close it, and a request is never sent twice."""
    bench = WireBench()
    bench.wire.connected(0.0)
    for _ in range(2):
        bench.request()
        bench.advance(100.0)
        bench.give(answer_bytes(""))
        bench.advance(KEEP_ALIVE - 0.1)
        assert bench.wire.available
    bench.advance(0.1)
    assert bench.wire.closing
    assert not bench.wire.closed
    assert not bench.wire.available
    bench.advance(10.0)
    assert bench.wire.closed
    assert len(bench.timers) == 0


@pytest.mark.parametrize("answer", [answer_bytes("", Connection="close"), answer_bytes("") + b"x"])
def test_a_connection_that_cannot_be_used_again_closes(answer: bytes) -> None:
    bench = WireBench()
    bench.wire.connected(0.0)
    bench.request()
    bench.give(answer)
    assert bench.user.told == [(200, b"")]
    assert bench.wire.closing
    with pytest.raises(LocalProtocolError):
        bench.request()
    bench.give(b"more")
    bench.wire.lost()
    assert len(bench.timers) == 0


def test_an_idle_server_that_speaks_is_left() -> None:
    bench = WireBench()
    bench.wire.connected(0.0)
    bench.give(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    assert bench.wire.closing


def test_a_connection_that_cannot_be_made() -> None:
    bench = WireBench()
    bench.request()
    error = ConnectionRefusedError("no")
    bench.wire.failed(error, 0.0)
    assert bench.user.told == [error]
    assert bench.wire.closed
    assert len(bench.timers) == 0
    bench.wire.lost()
    assert bench.user.told == [error]


def test_a_connection_that_is_lost() -> None:
    bench = WireBench()
    bench.wire.connected(0.0)
    bench.request()
    bench.give(b"HTTP/1.1 200")
    bench.wire.lost()
    [error] = bench.user.told
    assert isinstance(error, ConnectionError)
    assert bench.wire.closed


def test_a_server_that_breaks_http() -> None:
    bench = WireBench()
    bench.wire.connected(0.0)
    bench.request()
    bench.give(b"SSH-2.0")
    [error] = bench.user.told
    assert isinstance(error, RemoteProtocolError)
    assert bench.wire.closing
    assert bench.woken > 1


def test_request_timeout() -> None:
    """Row 58: from the connection on, which is part of it."""
    bench = WireBench(request_timeout=5.0)
    bench.request()
    bench.advance(4.9)
    bench.wire.connected(bench.now)
    bench.pull()
    assert bench.user.told == []
    bench.advance(0.1)
    [error] = bench.user.told
    assert isinstance(error, TimeoutError)
    assert bench.wire.closing


def test_what_is_overdue_comes_first() -> None:
    """However late the driver's own timer is."""
    for act in ("receive_data", "connected", "failed"):
        bench = WireBench(request_timeout=5.0)
        bench.request()
        bench.timers.fire(0.0)
        if act == "receive_data":
            bench.wire.receive_data(answer_bytes("ok"), 6.0)
        elif act == "connected":
            bench.wire.connected(6.0)
        else:
            bench.wire.failed(OSError(), 6.0)
        assert [type(told) for told in bench.user.told] == [TimeoutError]


def test_close_before_there_is_a_connection() -> None:
    bench = WireBench()
    bench.request()
    bench.wire.close()
    bench.wire.close()
    assert bench.wire.closed
    assert bench.woken == 1
    bench.wire.connected(0.0)
    assert bench.pull() == b""
    bench.wire.lost()
    assert bench.user.told == []
    assert len(bench.timers) == 0


def test_abort() -> None:
    bench = WireBench()
    bench.wire.connected(0.0)
    bench.request()
    bench.wire.abort()
    assert bench.wire.closed
    assert bench.user.told == []
    assert len(bench.timers) == 0


@given(st.lists(st.binary(max_size=30)), st.booleans())
def test_nothing_that_a_server_sends_raises(chunks: list[bytes], websocket: bool) -> None:
    """Security rule T1, and rule 95."""
    bench = WireBench()
    if websocket:
        bench.switch()
    else:
        bench.wire.connected(0.0)
        bench.request()
    for chunk in chunks:
        bench.give(chunk)
        bench.pull()
    bench.wire.lost()
    bench.advance(100.0)
    assert len(bench.timers) == 0

"""What clients have of several workers: every one is served, in order, whatever carries it."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing

import pytest
from workers.program import Http, Served, clients_once, get, post, worker_of

UNKNOWN_SESSION = {"code": 1, "message": "Session ID unknown"}


@pytest.mark.parametrize("transports", ["polling", "upgrade", "websocket"])
def test_every_client_is_served(served: Served, transports: str) -> None:
    """npm's client over each transport: polling takes several connections, to any worker."""
    told = clients_once(served, 50, transports)
    assert told["wrong"] == []
    assert sum(told["processes"].values()) == 50
    assert {int(process) for process in told["processes"]} == served.workers()


def test_connections_are_spread_evenly(served: Served) -> None:
    """Each worker has what would be its share, within 20 %.

    The kernel throws dice: of 600 connections the share of one of three workers misses by as
    much in one run of thirty thousand.
    """
    counts: Counter[str] = Counter()
    for _ in range(600 * len(served.workers()) // 2):
        with closing(Http(served.port)) as connection:
            counts[worker_of(connection.handshake())] += 1
    share = counts.total() / len(served.workers())
    assert len(counts) == len(served.workers())
    assert all(0.8 * share <= count <= 1.2 * share for count in counts.values()), counts


def test_clients_of_one_connection_are_spread_evenly(served: Served) -> None:
    """A proxy may bring all its clients over one connection: no chance is in their shares.

    Each worker deals out its turns by itself, so each may be two off, and the first one comes
    where the kernel says.
    """
    workers = len(served.workers())
    with closing(Http(served.port)) as connection:
        counts = Counter(
            worker_of(connection.handshake("X-Forwarded-For: 192.0.2.9\r\n"))
            for _ in range(60 * workers)
        )
    assert len(counts) == workers
    assert all(abs(count - 60) <= 2 * workers + 1 for count in counts.values()), counts


def sessions(served: Served) -> dict[str, str]:
    """A session of each worker, by the worker's name."""
    found: dict[str, str] = {}
    while len(found) < len(served.workers()):
        with closing(Http(served.port)) as connection:
            sid = connection.handshake()
            found[worker_of(sid)] = sid
    return found


def test_a_request_in_any_pieces(served: Served) -> None:
    """Whichever worker reads the beginning of a request, its session's worker answers it."""
    for sid in sessions(served).values():
        in_pieces(served, post(sid, "40"), 50)
        assert in_pieces(served, get(sid), 50).startswith("40")
        for cut in range(1, len(get(sid)) + 20, 9):
            in_pieces(served, post(sid, f'421["echo",{cut}]'), cut)
            assert f"431[{cut}]" in in_pieces(served, get(sid), cut)


def in_pieces(served: Served, request: bytes, cut: int) -> str:
    """Send a request on a connection of its own, cut in two; returns the body of the answer."""
    with closing(Http(served.port)) as connection:
        connection.send(request[:cut])
        connection.send(request[cut:])
        status, body = connection.answer()
        assert status == 200
        return body


def test_one_connection_for_the_sessions_of_all_workers(served: Served) -> None:
    """A connection that is kept alive goes from worker to worker, as a proxy's does."""
    sids = sessions(served).values()
    with closing(Http(served.port)) as connection:
        for sid in sids:
            connection.send(post(sid, "40"))
            assert connection.answer() == (200, "ok")
        for sid in sids:
            connection.send(get(sid))
            status, body = connection.answer()
            assert (status, body[:2]) == (200, "40")
        for number in range(10):
            for sid in sids:
                connection.send(post(sid, f'421["echo",{number}]'))
                assert connection.answer() == (200, "ok")
                connection.send(get(sid))
                assert f"431[{number}]" in connection.answer()[1]


def test_requests_that_do_not_wait_for_answers(served: Served) -> None:
    """Pipelined, for one worker and the other, they are answered in their order."""
    sids = [*sessions(served).values()]
    with closing(Http(served.port)) as connection:
        requests = [post(sid, "40") for sid in sids] + [get(sid) for sid in sids]
        connection.send(b"".join(requests))
        assert [connection.answer()[0] for _ in requests] == [200] * len(requests)


def test_a_request_behind_a_poll_that_waits(served: Served) -> None:
    """The poll is answered first, however late; then the connection goes to the other worker."""
    one, other = [*sessions(served).values()][:2]
    with closing(Http(served.port)) as connection:
        connection.send(post(one, "40") + get(one))
        assert [connection.answer()[0] for _ in range(2)] == [200, 200]
        connection.send(get(one) + post(other, "40") + get(other))
        in_pieces(served, post(one, '421["echo","late"]'), 40)
        assert connection.answer() == (200, '431["late"]')
        assert connection.answer() == (200, "ok")
        assert connection.answer()[1].startswith("40")


@pytest.mark.parametrize("worker", ["999", "0", "01", "../1", "x"])
def test_no_such_worker(served: Served, worker: str) -> None:
    """Protocol rule 2: such a session is unknown, and that is told at once."""
    with closing(Http(served.port)) as connection:
        for request in (get(f"AAAAAAAAAAAAAAAAAAAA.{worker}"), get("AAAAAAAAAAAAAAAAAAAA")):
            connection.send(request)
            status, body = connection.answer()
            assert (status, json.loads(body)) == (400, UNKNOWN_SESSION)

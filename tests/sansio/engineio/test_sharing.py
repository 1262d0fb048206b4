"""To which worker a connection goes next: each has its share of the clients of a proxy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.neighbours import Neighbour

from sansocket.sansio.engineio.sharing import Sharing
from sansocket.sansio.request import Request


def request(method: str = "GET", *headers: tuple[bytes, bytes], **query: str) -> Request:
    return Request(method, "/engine.io/", {"EIO": "4", "transport": "polling", **query}, headers)


def destinations(sharing: Sharing, *requests: Request) -> list[str | None]:
    return [sharing.destination(each) for each in requests]


PROXIED = request("GET", (b"host", b"here"), (b"x-forwarded-for", b"192.0.2.1"))
KINDS = {
    "handshake": request(),
    "proxied": PROXIED,
    "session": request(sid="A.1"),
    "preflight": request("OPTIONS", (b"x-forwarded-for", b"192.0.2.1")),
}


@pytest.mark.parametrize("count", [1, 100])
def test_a_client_of_its_own_stays(count: int) -> None:
    """One that shakes hands and goes on is nobody's turn, however often it does."""
    sharing = Sharing(Neighbour("1", chosen="2"), secure=False)
    requests = [*[request()] * count, request(sid="A.1"), request("POST", sid="A.1")]
    assert destinations(sharing, *requests) == [None] * len(requests)


@pytest.mark.parametrize("name", [b"x-forwarded-for", b"forwarded", b"via"])
def test_of_a_proxy_all_but_the_first_are_dealt_out(name: bytes) -> None:
    """The first stays where the kernel, or another worker, has brought it."""
    by_proxy = request("GET", (b"host", b"here"), (name, b"192.0.2.1"))
    sharing = Sharing(Neighbour("1", chosen="2"), secure=False)
    assert destinations(sharing, *[by_proxy] * 3) == [None, "2", "2"]


@pytest.mark.parametrize("sid", ["A.1", "A.2", "A"])
def test_between_sessions_each_is_dealt_out(sid: str) -> None:
    """Where it goes for a session is where most are."""
    sharing = Sharing(Neighbour("1", chosen="2"), secure=False)
    sharing.destination(request(sid=sid))
    assert destinations(sharing, request(), request()) == ["2", "2"]


def test_the_turn_may_be_its_own() -> None:
    sharing = Sharing(Neighbour("1"), secure=False)
    assert destinations(sharing, *[PROXIED] * 3) == [None] * 3


def test_with_tls_it_goes_for_sessions_alone() -> None:
    sharing = Sharing(Neighbour("1", chosen="2"), secure=True)
    assert destinations(sharing, request(sid="A.2"), PROXIED, PROXIED) == ["2", None, None]


@pytest.mark.parametrize("method", ["OPTIONS", "POST", "PUT"])
def test_what_opens_no_session_takes_no_turn(method: str) -> None:
    other = request(method, (b"x-forwarded-for", b"192.0.2.1"))
    sharing = Sharing(Neighbour("1", chosen="2"), secure=False)
    assert destinations(sharing, other, other, PROXIED, other, PROXIED) == [*[None] * 4, "2"]


@given(st.lists(st.sampled_from(list(KINDS)), max_size=12))
def test_who_is_dealt_out(kinds: list[str]) -> None:
    """Handshakes behind a proxy's, or behind a session's request, and nothing else."""
    sharing = Sharing(Neighbour("1", chosen="2"), secure=False)
    for place, kind in enumerate(kinds):
        dealt = kind in ("handshake", "proxied") and {"proxied", "session"} & set(kinds[:place])
        assert sharing.destination(KINDS[kind]) == ("2" if dealt else None)

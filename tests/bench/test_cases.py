"""Every server starts and answers, and every kind of load can be put on ours.

No figure is looked at here but whether there is one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from benchmarks import crowds, load, messages
from benchmarks.cases import CASES, Case
from benchmarks.connections import Address, Connections, ServerFailed
from benchmarks.contestants import (
    CONTESTANTS,
    Contestant,
    Running,
    Unavailable,
    running,
)
from benchmarks.samples import Effort

QUICK = Effort(warm_up=0.02, seconds=0.05)
# What the dependency group `bench` alone installs, and `make test` does not.
EXTRA = {"socketio", "uvicorn", "websockets"}
# These take seconds by their nature, and are tested in small below.
SLOW = {"memory-1000", "memory-10000", "idle-10000", "broadcast-2000"}


def started(name: str, ping_interval: float = 300.0) -> Iterator[Running]:
    """Run a server; a test that needs what `make test` does not install is skipped."""
    contestant = CONTESTANTS[name]
    try:
        contestant.command()
    except Unavailable:
        if not EXTRA & set(contestant.needs):
            raise
        pytest.skip(f"{name} is installed by `make bench`")
    with running(contestant, os.sched_getaffinity(0), ping_interval) as server:
        yield server


@pytest.fixture(params=CONTESTANTS)
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    yield from started(request.param)


@pytest.fixture(scope="module", params=["trio", "uvloop-async", "socket.io"])
def one_of_each(request: pytest.FixtureRequest) -> Iterator[Running]:
    yield from started(request.param)


def test_every_server_echoes_and_broadcasts(server: Running) -> None:
    contestant = server.contestant
    echo = CASES["echo"].measure(server, QUICK)
    assert echo.value > 0
    assert echo.details["per second"] > 0
    if CASES["broadcast-10"].suits(contestant):
        assert CASES["broadcast-10"].measure(server, QUICK).value > 0
    assert messages.binary(32)(server, QUICK).value > 0
    if not contestant.bare:
        assert CASES["ack"].measure(server, QUICK).value > 0
        assert messages.polling(server, QUICK).value > 0


@pytest.mark.parametrize(
    "case", [c for n, c in CASES.items() if n not in SLOW], ids=lambda c: c.name
)
def test_every_case(one_of_each: Running, case: Case) -> None:
    sample = case.measure(one_of_each, QUICK)
    assert sample.value > 0
    assert sample.foreign >= 0


def test_memory(one_of_each: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a hundred connections it may even be negative: what counts is that there is a figure."""
    monkeypatch.setattr(crowds, "SETTLING", 0.01)
    assert crowds.memory(100)(one_of_each, QUICK).details["MiB in all"] > 1


def test_idle_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowds, "SHORT_INTERVAL", 0.1)
    for server in started("asyncio", 0.1):
        sample = crowds.idle(20)(server, QUICK)
        assert sample.value > 0
        assert sample.details["pings a second"] > 0


def test_messages_are_counted_as_the_server_counts_them() -> None:
    """As many answers are awaited as were sent, over connections from several addresses."""
    for server in started("trio"), started("socket.io"):
        for one in server:
            with Connections(Address(one.port)) as opened:
                opened.open(7)
                length = load.answer_length(opened, messages.ECHO, 1)
                loop = load.RequestLoop(opened, messages.ECHO, length)
                answered = 0
                while answered < 300:
                    answered += loop.run(0.01)
                loop.finish()
                assert len(opened.sockets) == 7
                for sock in opened.sockets:
                    with pytest.raises(BlockingIOError):
                        sock.recv(1)
                loop.close()


def test_connections_come_from_several_addresses() -> None:
    """One address of the loopback has too few ports for tens of thousands."""
    for server in started("trio"):
        with Connections(Address(server.port)) as opened:
            for number in (0, 20_000, 6_000_000):
                sock = Address(server.port).socket(number)
                sock.setblocking(True)
                opened.sockets.append(sock)
            sources = [sock.getsockname()[0] for sock in opened.sockets]
        assert sources == ["127.0.0.1", "127.0.0.3", "127.0.1.52"]


def test_an_unexpected_message_is_a_failure() -> None:
    """Socket.IO speaks first, which a bare server does not."""
    for server in started("trio"):
        wrong = Running(Contestant("bare", "", bare=True), server.pid, server.port)
        with pytest.raises(ServerFailed, match="unasked for"):
            CASES["echo"].measure(wrong, QUICK)


def test_a_server_that_cannot_run_says_why() -> None:
    with pytest.raises(Unavailable, match="needs no_such_module"):
        Contestant("x", "ours.py", needs=("no_such_module",)).command()
    broken = Contestant("x", "ours.py", ("--loop", "no-such-loop"))
    with (
        pytest.raises(Unavailable, match=r"did not start: (.|\n)*no-such-loop"),
        running(broken, os.sched_getaffinity(0), 25.0),
    ):
        pass


def test_a_server_that_ends_says_so() -> None:
    def load_a_dead_server() -> None:
        with running(CONTESTANTS["trio"], os.sched_getaffinity(0), 25.0) as server:
            os.kill(server.pid, 9)
            os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)
            CASES["echo"].measure(server, QUICK)

    with pytest.raises(Unavailable, match="ended under load: without a word"):
        load_a_dead_server()


def test_javascript_needs_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable, match="needs node"):
        CONTESTANTS["socket.io"].command()

"""Descriptors from worker to worker: real sockets, and no loop."""

from __future__ import annotations

import os
import select
import socket
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sansocket.sansio.engineio.neighbours import Arrival
from sansocket.workers.exchange import LARGEST, Exchange


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: the path of a socket has to be."""
    with TemporaryDirectory() as name:
        yield Path(name)
        assert not list(Path(name).iterdir())


@pytest.fixture
def join(folder: Path) -> Iterator[Callable[[str], Exchange]]:
    """Make a worker's exchange."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(closing(Exchange(folder, name)))


def received(exchange: Exchange) -> list[Arrival]:
    """What has come, which there has to be."""
    found: list[Arrival] = []
    while select.select([exchange], [], [], 0.1 if found else 10)[0]:
        found += exchange.receive()
    return found


def test_a_connection_comes_with_its_message(join: Callable[[str], Exchange]) -> None:
    one, two = join("1"), join("2")
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            assert one.hand_over("2", theirs.fileno(), b"hello")
        (arrival,) = received(two)
        assert arrival.message == b"hello"
        assert not os.get_inheritable(arrival.connection)
        with socket.socket(fileno=arrival.connection) as came:
            came.sendall(b"still open")
            assert ours.recv(100) == b"still open"
    assert not two.receive()


def test_each_worker_has_its_turn(join: Callable[[str], Exchange]) -> None:
    """However many are chosen, this one among them, their shares differ by one at most."""
    one, _, _ = (join(name) for name in "123")
    counts = Counter(dict.fromkeys("123", 0))
    for _ in range(100):
        counts[one.choose()] += 1
        assert max(counts.values()) - min(counts.values()) <= 1


def test_what_repeats_itself_meets_all_workers(join: Callable[[str], Exchange]) -> None:
    """Every other one that is chosen is not for the same worker each time."""
    one, _ = join("1"), join("2")
    chosen = [one.choose() for _ in range(400)]
    assert set(chosen[::2]) == set(chosen[1::2]) == {"1", "2"}


def test_only_workers_that_are_there_are_chosen(join: Callable[[str], Exchange]) -> None:
    """The next round has those that have come; itself, where there is no other."""
    one, two = join("1"), join("2")
    for _ in range(20):
        one.choose()
        two.close()
        assert {one.choose() for _ in range(3)} == {"1"}
        two = join("2")
        assert {one.choose() for _ in range(4)} == {"1", "2"}
    two.close()
    one.close()
    assert one.choose() == "1"


def test_the_largest_message(join: Callable[[str], Exchange]) -> None:
    """Two chunks that were read and a head are less than that."""
    one, two = join("1"), join("2")
    message = os.urandom(LARGEST)
    with open(os.devnull) as file:
        assert one.hand_over("2", file.fileno(), message)
    (arrival,) = received(two)
    os.close(arrival.connection)
    assert arrival.message == message


def test_from_all_to_all_in_order(join: Callable[[str], Exchange]) -> None:
    exchanges = {name: join(name) for name in "123"}
    with open(os.devnull) as file:
        for number in range(20):
            for name in "23":
                assert exchanges[name].hand_over("1", file.fileno(), f"{name} {number}".encode())
    arrivals = received(exchanges["1"])
    for arrival in arrivals:
        os.close(arrival.connection)
    for name in "23":
        messages = [a.message.decode() for a in arrivals if a.message.startswith(name.encode())]
        assert messages == [f"{name} {number}" for number in range(20)]


def test_no_such_worker(join: Callable[[str], Exchange], folder: Path) -> None:
    """Never there, gone in good order, or gone and its socket left."""
    one, two = join("1"), join("2")
    with open(os.devnull) as file:
        with pytest.raises(FileNotFoundError):
            one.hand_over("9", file.fileno(), b"x")
        assert one.hand_over("2", file.fileno(), b"x")
        two.close()
        two.close()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            one.hand_over("2", file.fileno(), b"x")
        with pytest.raises(FileNotFoundError):
            one.hand_over("2", file.fileno(), b"x")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as left:
            left.bind(str(folder / "3"))
        with pytest.raises(ConnectionRefusedError):
            one.hand_over("3", file.fileno(), b"x")
        (folder / "3").unlink()
    assert two.fileno() == -1
    assert two.receive() == []


def test_one_that_takes_no_more_for_now(join: Callable[[str], Exchange]) -> None:
    """Nothing waits and nothing is lost: it is tried again later."""
    one, two = join("1"), join("2")
    with open(os.devnull) as file:
        sent = 0
        while one.hand_over("2", file.fileno(), bytes(50_000)):
            sent += 1
        assert sent > 0
        arrivals = received(two)
        assert len(arrivals) == sent
        assert one.hand_over("2", file.fileno(), b"x")
        arrivals += received(two)
    for arrival in arrivals:
        os.close(arrival.connection)


def test_a_message_without_a_descriptor_is_refused(
    join: Callable[[str], Exchange], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Security rule T35: whatever comes, the listener lives on."""
    one, two = join("1"), join("2")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stranger:
        stranger.connect(str(folder / "2"))
        stranger.sendall(b"no descriptor")
        for _ in ("it is there", "it has said something"):
            assert select.select([two], [], [], 10)[0]
            assert two.receive() == []
    assert "could not be taken" in caplog.text
    with open(os.devnull) as file:
        assert one.hand_over("2", file.fileno(), b"x")
    (arrival,) = received(two)
    os.close(arrival.connection)


def test_a_name_that_is_taken(join: Callable[[str], Exchange], folder: Path) -> None:
    join("1")
    with pytest.raises(OSError, match="in use"):
        Exchange(folder, "1")
    assert stat.S_ISSOCK((folder / "1").stat().st_mode)

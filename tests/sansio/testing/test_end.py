"""One side of a connection, which drives its wire as a backend does."""

from __future__ import annotations

from dataclasses import dataclass, field

from sansocket.sansio.testing import Faults, Simulation
from sansocket.sansio.testing.end import End, Waker
from sansocket.sansio.testing.pipe import CAPACITY, Pipe
from sansocket.sansio.testing.process import Process


@dataclass
class Wire:
    """A wire that does what the test says."""

    out: list[bytes] = field(default_factory=list[bytes])
    got: list[bytes] = field(default_factory=list[bytes])
    closing: bool = False
    closed: bool = False
    paused: bool = False
    complete: bool = False
    gone: int = 0
    successor: Wire | None = None

    def receive_data(self, data: bytes, now: float) -> None:
        self.got.append(data)

    def data_to_send(self) -> list[bytes]:
        return [self.out.pop(0)] if self.out else []

    def lost(self) -> None:
        self.gone += 1


class Pair:
    """Two ends, and nothing between them but the time."""

    def __init__(self, **faults: float) -> None:
        self.simulation = Simulation(1)
        chosen = Faults(**faults)  # type: ignore[arg-type]  # one field is a tuple, and not given
        world, network = self.simulation.world, self.simulation.network
        self.processes = [Process(world, name, network) for name in "ab"]
        self.wires = [Wire(), Wire()]
        pipes = [Pipe(world, lambda: chosen, 0.1) for _ in "ab"]
        self.written: list[bytes] = []
        self.ends = [
            End(
                self.processes[side],
                self.wires[side],
                1,
                pipes[1 - side],
                pipes[side],
                lambda: chosen,
                self.written.append,
            )
            for side in (0, 1)
        ]
        self.ends[0].peer, self.ends[1].peer = self.ends[1], self.ends[0]
        self.ends[0].connected = self.ends[1].connected = True

    def wake(self, side: int = 0) -> None:
        """Wake one side, and let what follows happen."""
        self.ends[side].wake()
        self.simulation.advance(10)


def test_writing() -> None:
    """Until there is nothing more to write, and never more than there is room for."""
    pair = Pair()
    pair.wires[0].out = [b"x" * (CAPACITY - 1), b"y", b"z"]
    pair.ends[0].wake()
    pair.simulation.settle()
    assert pair.wires[0].out == [b"z"]
    pair.simulation.advance(10)
    assert b"".join(pair.wires[1].got).endswith(b"xyz")
    assert b"".join(pair.written).endswith(b"xyz")


def test_closing() -> None:
    """The rest is written, the other side is told, and closes once it has written its own."""
    pair = Pair()
    pair.wires[0].out, pair.wires[0].closing = [b"a"], True
    pair.wires[1].out = [b"b"]
    pair.wake()
    assert (pair.wires[1].got, pair.wires[0].got) == ([b"a"], [b"b"])
    assert [wire.gone for wire in pair.wires] == [1, 1]
    assert all(end.over for end in pair.ends)


def test_complete_and_closed() -> None:
    """Both end it: the one after what waits, the other at once."""
    pair = Pair()
    pair.wires[0].out, pair.wires[0].complete = [b"a"], True
    pair.wake()
    assert (pair.wires[1].got, pair.wires[0].gone) == ([b"a"], 1)
    pair = Pair()
    pair.wires[0].out, pair.wires[0].closed = [b"a"], True
    pair.wake()
    assert (pair.wires[1].got, pair.wires[0].gone) == ([], 1)


def test_successor() -> None:
    """The wire may go on as another one."""
    pair = Pair()
    pair.wires[0].out = [b"a"]
    pair.wires[0].successor = Wire(out=[b"b"])
    pair.wake()
    assert b"".join(pair.wires[1].got) == b"ab"


def test_paused() -> None:
    """What comes waits in the connection, until the wire is woken."""
    pair = Pair()
    pair.wires[1].paused = True
    pair.wires[0].out = [b"a"]
    pair.wake()
    assert pair.wires[1].got == []
    pair.wires[1].paused = False
    pair.wake(1)
    assert pair.wires[1].got == [b"a"]


def test_reset() -> None:
    """Whoever closes with bytes unread may take from the other what he has sent last."""
    pair = Pair(reset=1.0)
    pair.wires[1].paused = True
    pair.wires[0].out = [b"a"]
    pair.wake()
    pair.wires[1].out = [b"b"]
    pair.ends[1].flush()
    pair.ends[1].close()
    pair.ends[1].close()
    pair.simulation.advance(10)
    assert (pair.wires[0].got, pair.wires[0].gone, pair.wires[1].gone) == ([], 1, 1)


def test_standing_still() -> None:
    """Nothing is written, nothing is read, and a loss is noticed late."""
    pair = Pair()
    pair.processes[0].freeze(20.0)
    pair.wires[0].out = [b"a"]
    pair.wake()
    pair.ends[0].lose("by lot")
    assert pair.wires[0].gone == 0
    assert pair.written == []
    pair.simulation.advance(15)
    assert pair.wires[0].gone == 1


def test_waker() -> None:
    """It is asked for before there is an end to wake, and wakes none that is over."""
    waker, pair = Waker(), Pair()
    waker()
    waker.end = pair.ends[0]
    pair.wires[0].out = [b"a"]
    waker()
    pair.simulation.advance(1)
    assert pair.written == [b"a"]
    pair.ends[0].lose("by lot")
    pair.wires[0].out = [b"b"]
    waker()
    pair.simulation.advance(1)
    assert pair.written == [b"a"]

"""One direction of a connection."""

from __future__ import annotations

from random import Random

from sansocket.sansio.testing.clock import Clock
from sansocket.sansio.testing.faults import Faults
from sansocket.sansio.testing.pipe import CAPACITY, Pipe
from sansocket.sansio.testing.process import World
from sansocket.sansio.testing.tasks import Tasks
from sansocket.sansio.testing.transcript import Transcript


class Side:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.over = self.paused = False
        self.resumes_at = 0.0
        self.got: list[bytes] = []
        self.told: list[str] = []

    def receive(self, data: bytes) -> None:
        self.got.append(data)

    def end(self) -> None:
        self.told.append("end")

    def lose(self, why: str) -> None:
        self.told.append(why)

    def wake(self) -> None:
        self.told.append("wake")


class Bench:
    """A pipe between two sides."""

    def __init__(self, faults: Faults = Faults(), seed: int = 1) -> None:  # noqa: B008 - frozen
        clock, random = Clock(), Random(seed)
        self.clock = clock
        world = World(clock, Tasks(clock, random), random, Transcript(), {}, [])
        self.pipe = Pipe(world, lambda: faults, 1.0)
        self.source, self.target = Side(), Side()
        self.pipe.source, self.pipe.target = self.source, self.target

    def run(self) -> None:
        while self.clock.next() is not None:
            self.clock.step()


def test_bytes_then_the_end() -> None:
    """Later than they were written, in one piece with what was written meanwhile."""
    bench = Bench()
    bench.pipe.write(b"a")
    bench.pipe.write(b"b")
    bench.pipe.finish()
    bench.pipe.finish()
    assert bench.target.got == []
    bench.run()
    assert (bench.target.got, bench.target.told) == ([b"ab"], ["end"])
    assert 1.0 <= bench.clock.now <= 1.5


def test_split() -> None:
    """Anywhere, and in the order all the same."""
    sizes = set[int]()
    for seed in range(50):
        bench = Bench(Faults(split=0.7), seed)
        bench.pipe.write(bytes(range(100)))
        bench.run()
        assert b"".join(bench.target.got) == bytes(range(100))
        sizes.add(len(bench.target.got))
    assert sizes > {1, 2, 3}


def test_room() -> None:
    """It takes so much and no more; the sender is woken when some of it has arrived."""
    bench = Bench()
    bench.pipe.write(bytes(CAPACITY - 1))
    assert bench.pipe.room
    bench.pipe.write(b"x")
    assert not bench.pipe.room
    bench.run()
    assert bench.pipe.room
    assert bench.source.told == ["wake"]


def test_whoever_does_not_read() -> None:
    """Nothing arrives until he reads again, and nothing is lost."""
    bench = Bench()
    bench.target.paused = True
    bench.pipe.write(b"a")
    bench.run()
    bench.pipe.go_on()
    bench.run()
    assert bench.target.got == []
    bench.target.paused = False
    bench.pipe.go_on()
    bench.pipe.go_on()
    bench.run()
    assert bench.target.got == [b"a"]


def test_rest_and_standstill() -> None:
    """Both are waited for."""
    bench = Bench()
    bench.pipe.rest(5.0)
    bench.pipe.write(b"a")
    bench.target.resumes_at = 7.0
    bench.run()
    assert (bench.target.got, bench.clock.now) == ([b"a"], 7.0)


def test_silence() -> None:
    """Nothing arrives, nobody is told, and the sender can write no more than there is room for."""
    bench = Bench()
    bench.pipe.write(b"a")
    bench.pipe.silence()
    bench.pipe.write(bytes(CAPACITY))
    bench.pipe.finish()
    bench.run()
    assert (bench.target.got, bench.target.told, bench.source.told) == ([], [], [])
    assert not bench.pipe.room


def test_whoever_has_closed() -> None:
    """What still comes is answered with a reset; the mere end is not."""
    bench = Bench()
    bench.target.over = True
    bench.pipe.write(b"a")
    bench.run()
    assert bench.source.told == ["reset"]
    bench = Bench()
    bench.target.over = True
    bench.pipe.finish()
    bench.run()
    assert bench.source.told == []

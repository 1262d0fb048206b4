"""One socket of the scenario."""

from __future__ import annotations

from itertools import count
from random import Random

import pytest
from support.fake_engine import FakeEngine, FakeIntake

from sansocket.sansio.socketio.client.events import EventReceived, Stay
from sansocket.sansio.testing import SimulationError
from sansocket.sansio.testing.chaos import Chaos
from sansocket.sansio.testing.ledger import Sequence
from sansocket.sansio.testing.member import Member
from sansocket.sansio.testing.simulation import Simulation

URL = "http://a.example"


def member() -> tuple[Simulation, Chaos, Member]:
    """A member without a server."""
    simulation = Simulation(1)
    chaos = Chaos(simulation)
    return simulation, chaos, Member(chaos, simulation.client(URL), "m", "/")


def test_what_comes_is_held_against_the_rules() -> None:
    """What it has got is noted, and told when somebody looks."""
    _, chaos, each = member()
    each.news.arrive(1)
    chaos.watch()
    each.news.arrive(1)
    with pytest.raises(SimulationError, match="m/ news: 1 has arrived after 1"):
        chaos.watch()


def test_whoever_is_not_active_was_told_why() -> None:
    """Or there is something wrong."""
    _, chaos, each = member()
    each.socket.disconnect()
    each.join()
    chaos.watch()
    each.socket.disconnect()
    each.told = ""
    each.socket.membership.reason = None
    each.join()
    with pytest.raises(SimulationError, match="m/ is not active, and was not told why"):
        chaos.watch()


def test_a_full_buffer_is_no_fault() -> None:
    """There is no server: what it emits waits, up to the bound, and then it is refused."""
    simulation = Simulation(1)
    chaos = Chaos(simulation)
    each = Member(chaos, simulation.client(URL, max_send_buffer=3), "m", "/")
    for _ in range(100):
        each.act()
        assert each.socket.membership.outbound.waiting <= 3
    chaos.watch()


def one_of_two(iterates: bool) -> tuple[Simulation, Chaos, Member]:
    """A member that iterates or listens, to whom the server's sockets a and b have sent much."""
    simulation = Simulation(1)
    chaos = Chaos(simulation)
    chaos.random = next(Random(n) for n in count() if (Random(n).random() < 0.3) is iterates)
    member = Member(chaos, simulation.client(URL), "m", "/")
    assert bool(member.socket.listeners_any()) is iterates
    for sid in "ab":
        member.down[sid] = Sequence(sid, chaos.fail, again=False)
        member.down[sid].sent = 9
    return simulation, chaos, member


@pytest.mark.parametrize("iterates", [False, True])
@pytest.mark.parametrize(
    ("course", "wrong"),
    [
        (["in", "a", "a", "in", "b"], False),
        (["in", "in", "a"], False),
        (["in", "a", "in", "a"], True),
        (["in", "a", "b"], True),
    ],
)
def test_what_comes_in_a_stay_was_sent_to_it(
    course: list[str], wrong: bool, iterates: bool
) -> None:
    """An event of the stay before, in the next one, is a fault even where its order is right."""
    _, chaos, member = one_of_two(iterates)
    numbers = {"a": 0, "b": 0}
    for what in course:
        if what == "in":
            member.socket.listeners("connect")[0]()
        elif iterates:
            member.socket.listeners_any()[0]("news", 1)
            member.socket.listeners_any()[0]("down", what, numbers[what])
        else:
            member.socket.listeners("down")[0](what, numbers[what])
            numbers[what] += 1
    if wrong:
        with pytest.raises(SimulationError, match="what was sent to another"):
            chaos.watch()
    else:
        chaos.watch()


@pytest.mark.parametrize(
    ("taken", "wrong"), [("aab", False), ("b", False), ("aba", True), ("c", True)]
)
def test_an_iteration_goes_through_the_stays_in_their_order(taken: str, wrong: bool) -> None:
    """It may lag behind, or have nothing of a stay, but never goes back to one."""
    simulation, chaos, member = one_of_two(True)
    for sid in "ab":
        member.socket.listeners("connect")[0]()
        member.socket.listeners_any()[0]("down", sid, 0)
    member.down["c"] = Sequence("c", chaos.fail, again=True)
    member.down["c"].sent = 1
    intake = FakeIntake(FakeEngine(None))  # type: ignore[arg-type]  # nothing is received here
    numbers = dict.fromkeys("abc", 0)
    simulation.run(simulation.sleep(1.0), limit=100.0)  # the iteration has begun
    for sid in taken:
        event = EventReceived(member.socket, "down", (sid, numbers[sid]), None, Stay(intake))
        member.socket.membership.inbox.put(event)
        numbers[sid] += 1
    simulation.run(simulation.sleep(60.0), limit=100.0)
    assert len(member.socket.membership.inbox) == 0
    if wrong:
        with pytest.raises(SimulationError, match="before the last one taken"):
            chaos.watch()
    else:
        chaos.watch()

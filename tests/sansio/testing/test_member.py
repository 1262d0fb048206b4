"""One socket of the scenario."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize(
    ("course", "wrong"),
    [
        (["in", "a", "a", "in", "b"], False),
        (["in", "in", "a"], False),
        (["in", "a", "in", "a"], True),
        (["in", "a", "b"], True),
    ],
)
def test_what_comes_in_a_stay_was_sent_to_it(course: list[str], wrong: bool) -> None:
    """An event of the stay before, in the next one, is a fault even where its order is right."""
    simulation = Simulation(2)
    chaos = Chaos(simulation)
    member = Member(chaos, simulation.client("http://a.example"), "m", "/")
    for sid in "ab":
        member.down[sid] = Sequence(sid, chaos.fail, again=False)
        member.down[sid].sent = 9
    numbers = {"a": 0, "b": 0}
    handler = {"in": "connect"}
    for what in course:
        handlers = member.socket.registry.events.get(handler.get(what, "down"))
        arguments = () if what == "in" else (what, numbers[what])
        if what != "in":
            numbers[what] += 1
        handlers[0].function(*arguments)
    if wrong:
        with pytest.raises(SimulationError, match="what was sent to another"):
            chaos.watch()
    else:
        chaos.watch()

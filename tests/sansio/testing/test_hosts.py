"""What the servers of the scenario do, without a storm."""

from __future__ import annotations

from sansocket.sansio.testing import Simulation
from sansocket.sansio.testing.chaos import Chaos
from sansocket.sansio.testing.hosts import NAMESPACES, Hosts
from sansocket.sansio.testing.member import Member

URL = "http://a.example"


def test_they_answer_and_speak() -> None:
    """Whatever they say arrives, and whoever is asked answers."""
    simulation = Simulation(1)
    chaos = Chaos(simulation)
    chaos.storming = False
    server = simulation.server(URL, Hosts(chaos).set_up)
    for number in range(3):
        client = simulation.client(URL)
        for name in NAMESPACES:
            member = Member(chaos, client, f"m{number}", name)
            chaos.members[member.name] = member
    for _ in range(200):
        simulation.random.choice(list(chaos.members.values())).act()
        simulation.advance(0.5)
    simulation.advance(30)
    for member in chaos.members.values():
        if not member.socket.active:
            member.join()
        member.socket.emit("up", member.up.next())
        member.up.count()
    simulation.advance(30)
    chaos.watch()
    assert chaos.deliveries > 100
    assert chaos.questions.answered > 50
    assert chaos.waiting == {}
    assert len(server.app.sockets) == 3
    for member in chaos.members.values():
        sid = member.socket.id
        assert sid is not None
        assert member.up.complete(sid)
        assert member.down[sid].sent > 0
        assert member.down[sid].complete(sid)


def test_a_member_that_has_gone() -> None:
    """The servers still hear it, and say nothing to it."""
    simulation = Simulation(1)
    chaos = Chaos(simulation)
    simulation.server(URL, Hosts(chaos).set_up)
    member = Member(chaos, simulation.client(URL), "m", "/")
    simulation.advance(10)
    member.socket.emit("up", 0)
    simulation.advance(10)
    assert chaos.deliveries == member.up.sent + 1
    assert member.down == {}
    chaos.watch()

"""Events for an iteration: kept, held, and never lost to who is cancelled."""

from __future__ import annotations

from support.fake_engine import FakeEngine, FakeIntake, Rig

from sansocket.sansio.socketio.client.events import EventReceived, Stay
from sansocket.sansio.socketio.client.inbox import Inbox


class Kept:
    """An inbox of three events and ten bytes, and what it is given."""

    def __init__(self) -> None:
        self.rig = Rig()
        self.socket = self.rig.client.socket()
        self.inbox = Inbox(3, 10, self.rig.runtime.log)
        self.engine = FakeEngine(None)  # type: ignore[arg-type]  # nothing is received here
        self.stay = Stay(FakeIntake(self.engine))

    def put(self, *names: str, size: int = 0) -> None:
        """Keep these events, each of so many bytes."""
        for name in names:
            self.inbox.put(EventReceived(self.socket, name, (), None, self.stay, size))

    def taken(self) -> list[str]:
        """All that were kept."""
        names: list[str] = []
        while (event := self.inbox.take()) is not None:
            names.append(event.name)
        return names


def test_the_last_are_kept_before_an_iteration() -> None:
    """Rule 98: the oldest make room, which is said once; the server is read on from."""
    kept = Kept()
    kept.put("a", "b", "c")
    assert kept.rig.runtime.logged == []
    kept.put("d", "e")
    assert len(kept.inbox) == 3
    assert kept.engine.held == 0
    assert kept.taken() == ["c", "d", "e"]
    [(message, error)] = kept.rig.runtime.logged
    assert "nobody listens to 'd'" in message
    assert error is None


def test_their_bytes_are_bounded_too() -> None:
    """Rule 98: as many of the oldest make room as it takes, and one alone is always kept."""
    kept = Kept()
    kept.put("a", "b", size=5)
    assert (kept.inbox.size, kept.rig.runtime.logged) == (10, [])
    kept.put("c", size=1)
    assert kept.inbox.size == 6
    assert len(kept.rig.runtime.logged) == 1
    kept.put("large", size=11)
    assert kept.inbox.size == 11
    kept.put("last", size=10)
    assert kept.taken() == ["last"]
    assert kept.inbox.size == 0
    kept.put("d", "e", size=5)
    assert kept.taken() == ["d", "e"]
    assert len(kept.rig.runtime.logged) == 1


def test_bytes_in_an_iteration() -> None:
    """They are the session's matter then, and none is lost for them."""
    kept = Kept()
    kept.put("early", size=8)
    kept.inbox.iterating = True
    kept.put("a", "b", size=8)
    assert (kept.inbox.size, kept.engine.held_bytes) == (24, 16)
    assert kept.taken() == ["early", "a", "b"]
    assert (kept.inbox.size, kept.engine.held_bytes) == (0, 0)


def test_none_is_lost_in_an_iteration() -> None:
    """Rule 98: each holds its session instead, until it is taken."""
    kept = Kept()
    kept.put("early")
    kept.inbox.iterating = True
    kept.put("a", "b", "c", "d")
    assert kept.engine.held == 4
    assert kept.taken() == ["early", "a", "b", "c", "d"]
    assert kept.engine.held == 0


def test_look() -> None:
    """At once when there is something, or never will be; else when there is."""
    kept = Kept()
    seen: list[Exception | None] = []
    kept.inbox.look(seen.append)()
    assert len(seen) == 1
    kept.inbox.is_open = True
    forget = kept.inbox.look(seen.append)
    forget_other = kept.inbox.look(seen.append)
    assert len(seen) == 1
    forget_other()
    forget_other()
    kept.put("a")
    assert len(seen) == 2
    forget()
    kept.inbox.look(seen.append)()
    assert len(seen) == 3
    assert kept.taken() == ["a"]
    kept.inbox.look(seen.append)
    kept.inbox.close()
    assert len(seen) == 4
    assert not kept.inbox.is_open


def test_when_closed() -> None:
    """At once when nothing comes any more; else when that is so, and events do not count."""
    kept = Kept()
    seen: list[Exception | None] = []
    kept.inbox.when_closed(seen.append)()
    assert len(seen) == 1
    kept.inbox.is_open = True
    kept.inbox.when_closed(seen.append)
    forget = kept.inbox.when_closed(seen.append)
    kept.put("a")
    forget()
    forget()
    assert len(seen) == 1
    kept.inbox.close()
    assert len(seen) == 2
    forget()

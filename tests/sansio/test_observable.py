"""Whatever tells what happens to it has the same methods for who wants to know."""

from __future__ import annotations

import pytest

from sansocket.sansio.engineio.app import EngineApp, EngineSocket
from sansocket.sansio.engineio.client.engine import ClientEngine
from sansocket.sansio.engineio.server import Engine
from sansocket.sansio.engineio.session import Session
from sansocket.sansio.observable import Observable
from sansocket.sansio.observers import Observers
from sansocket.sansio.socketio.adapter import Adapter
from sansocket.sansio.socketio.app import App
from sansocket.sansio.socketio.client.app import ClientApp
from sansocket.sansio.socketio.client.socket import ClientSocket
from sansocket.sansio.socketio.engine_session import EngineSession
from sansocket.sansio.socketio.namespace import Namespace
from sansocket.sansio.socketio.parent_namespace import ParentNamespace
from sansocket.sansio.socketio.socket import Socket

METHODS = ("on", "once", "off", "listeners", "event_names")


class Door(Observable):
    """Something that is opened by somebody."""

    def __init__(self) -> None:
        self.observers = Observers({"open": 1, "close": 0}, lambda message, error: None)

    def _registered(self) -> Observers:
        return self.observers


def test_its_methods() -> None:
    """Each with the function as an argument, and as a decorator that gives it back."""
    door, told = Door(), list[str]()

    @door.on("open")
    def opened(who: str) -> None:
        told.append(who)

    @door.once("open")
    def first(who: str) -> None:
        told.append(f"first {who}")

    assert door.on("close", print) is print
    assert door.once("close", print) is print
    assert door.listeners("open") == [opened, first]
    assert door.event_names() == ["open", "close"]
    door.observers.tell("open", "a")
    door.observers.tell("open", "b")
    assert told == ["a", "first a", "b"]
    door.off("open", opened)
    assert door.listeners("open") == []
    door.off()
    assert door.event_names() == []


def test_what_is_refused() -> None:
    """A decorator refuses the event before it gets the function; nothing is registered then."""
    door = Door()
    for refuses in (door.on, door.once):
        with pytest.raises(ValueError, match="close"):
            refuses("Open")
    with pytest.raises(TypeError, match="open"):
        door.once("open")(lambda: None)
    for refused in (door.on, door.once, door.off):
        with pytest.raises(ValueError, match="close"):
            refused("Open", print)
    with pytest.raises(ValueError, match="close"):
        door.listeners("Open")
    assert door.event_names() == []


def test_a_class_has_to_say_where() -> None:
    with pytest.raises(NotImplementedError):
        Observable().event_names()


@pytest.mark.parametrize(
    "kind",
    [
        *(Adapter, App, ClientApp, ClientEngine, ClientSocket, Engine, EngineApp, EngineSession),
        *(EngineSocket, Namespace, ParentNamespace, Session, Socket),
    ],
)
def test_the_same_everywhere(kind: type) -> None:
    """Row 117: whatever has `on` has what belongs to it."""
    for method in METHODS:
        assert callable(getattr(kind, method, None)), method

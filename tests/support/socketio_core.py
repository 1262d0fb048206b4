"""A Socket.IO server without an application: a driver that takes its events by hand."""

from __future__ import annotations

from sansocket.sansio.config import ServerConfig
from sansocket.sansio.engineio.server import Engine
from sansocket.sansio.socketio.dispatch import Dispatch
from sansocket.sansio.socketio.events import (
    ConnectRequested,
    Event,
    EventReceived,
    NamespaceRequested,
)
from sansocket.sansio.socketio.namespace import Namespace
from sansocket.sansio.socketio.parser import JsonParser
from sansocket.sansio.socketio.server import Server
from support.runtime import LoopFree, counting_entropy
from support.transcript import Driver


class Bare:
    """Lets in whom `welcome` says, and handles nothing while `idle`."""

    def __init__(self, config: ServerConfig | None = None) -> None:
        runtime = LoopFree()
        self.server = Server(
            config or ServerConfig(),
            JsonParser(),
            runtime=runtime,
            entropy=counting_entropy(),
        )
        self.main = Namespace(self.server, "/", runtime, Dispatch(runtime))
        self.server.namespaces["/"] = self.main
        self.driver = Driver(self, runtime)
        self.welcome = True
        self.idle = False
        self.events: list[Event] = []

    @property
    def engine(self) -> Engine:
        """What the driver opens connections on."""
        return self.server.engine

    def deliver(self) -> None:
        """Take the events that have come."""
        while (event := self.server.next_event()) is not None:
            assert not isinstance(event, NamespaceRequested)
            self.events.append(event)
            if isinstance(event, ConnectRequested) and self.welcome:
                event.socket.accept()
            if not self.idle:
                event.socket.handled(event.size if isinstance(event, EventReceived) else 0)

    def taken(self) -> list[Event]:
        """The events since the last time."""
        events, self.events = self.events, []
        return events

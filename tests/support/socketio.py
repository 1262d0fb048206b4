"""Short ways for a client that has joined a namespace over WebSocket."""

from __future__ import annotations

import json
from typing import Any

from sansocket.sansio.socketio.app import App
from sansocket.sansio.socketio.socket import Socket
from support.transcript import Driver, WebSocketPipe


class Member:
    """A client in one namespace; what it gets is read as names and arguments."""

    def __init__(self, driver: Driver, app: App, name: str = "/", auth: str = "") -> None:
        self.websocket: WebSocketPipe = driver.websocket()
        self.websocket.take()
        self.name = name
        self.prefix = "" if name == "/" else f"{name},"
        self.websocket.send(f"40{self.prefix}{auth}")
        [self.answer] = [each for each in self.websocket.take() if str(each).startswith("4")][:1]
        self._app = app
        self.id: str = ""
        if str(self.answer).startswith("40"):
            self.id = json.loads(str(self.answer)[2 + len(self.prefix) :])["sid"]

    @property
    def socket(self) -> Socket:
        """The server's side of it."""
        return self._app.core.namespaces[self.name].sockets[self.id]

    def emit(self, event: str, *args: Any, ack: int | None = None) -> None:
        """Send an event, perhaps one that asks for an acknowledgement."""
        number = "" if ack is None else str(ack)
        self.websocket.send(f"42{self.prefix}{number}{json.dumps([event, *args])}")

    def events(self) -> list[list[Any]]:
        """The events that have come: name and arguments."""
        start = f"42{self.prefix}"
        found: list[list[Any]] = []
        for message in self.websocket.take():
            assert isinstance(message, str)
            if message.startswith(start):
                found.append(json.loads(message[message.index("[") :]))
        return found

    def ask(self, event: str, *args: Any) -> Any:
        """Send an event and take its acknowledgement; None when there is none."""
        self.emit(event, *args, ack=7)
        for message in self.websocket.take():
            if str(message).startswith(f"43{self.prefix}7"):
                return json.loads(str(message)[3 + len(self.prefix) :])
        return None

"""A Socket.IO client over a session that a test plays by hand: no network, no clock, no loop."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sansocket.sansio.config import Transport
from sansocket.sansio.engineio.client.ends import EngineReceiver
from sansocket.sansio.engineio.client.wire import ClientWire
from sansocket.sansio.engineio.encoded import Encoded
from sansocket.sansio.errors import Reason, RemoteProtocolError, TransportError
from sansocket.sansio.socketio.client.app import AskUrl, ClientApp
from sansocket.sansio.socketio.client.config import ClientConfig
from sansocket.sansio.socketio.client.link import Engine
from sansocket.sansio.socketio.client.socket import ClientSocket
from sansocket.sansio.socketio.client.states import ClientState
from sansocket.sansio.socketio.intake import Intake
from sansocket.sansio.socketio.parser import JsonParser
from sansocket.sansio.timers import Timers
from support.runtime import LoopFree, Task

MIDDLE = b"\x80\x00\x00\x00"
"""Entropy in the middle: a delay is neither longer nor shorter for its jitter."""


class Dialer(LoopFree):
    """A runtime that keeps what is to be dialled."""

    def __init__(self) -> None:
        super().__init__()
        self.dialled: list[ClientWire] = []

    def dial(self, wire: ClientWire) -> None:
        """Keep the wire."""
        self.dialled.append(wire)


class FakeEngine:
    """A session, as the client has it; what it sends is kept, what it gets a test says."""

    def __init__(self, receiver: EngineReceiver) -> None:
        self.receiver = receiver
        self.id = "secret"
        self.transport: Transport = "websocket"
        self.writable = True
        self.backlog = 0
        self.held = 0
        self.held_bytes = 0
        self.opening_since: float | None = None
        self.closing = False
        self.ended: tuple[Reason, Exception | None] | None = None
        self.lingers = False
        self.parts = False
        """Whether to tell the server of an end takes its time."""
        self.parted: list[Callable[[], None]] = []
        """Whether a close in good order takes its time."""
        self.relieved: list[Callable[[], None]] = []
        self._sent: list[str | bytes] = []

    # As the client sees it

    def open(self, now: float) -> None:
        """The attempt begins."""
        assert self.opening_since is None
        self.opening_since = now

    def send(self, encoded: Encoded) -> None:
        """Keep it, unless all is over."""
        if self.ended is None and not self.closing:
            self._sent += encoded.messages

    def close(self) -> None:
        """End in good order."""
        self.closing = True
        if not self.lingers:
            self.abort(Reason.FORCED_CLOSE)

    def abort(self, reason: Reason, error: Exception | None = None) -> None:
        """End at once."""
        if self.ended is None:
            self.ended = (reason, error)
            self.receiver.closed(reason, error)
            self.relieve()

    def when_parted(self, callback: Callable[[], None]) -> None:
        """At once, or keep it for `cut`."""
        assert self.ended is not None
        if self.parts:
            self.parted.append(callback)
        else:
            callback()

    def cut(self) -> None:
        """The server knows, or nobody has time; the test calls it too."""
        parted, self.parted = self.parted, []
        for callback in parted:
            callback()

    def hold(self, count: int = 1, size: int = 0) -> None:
        """Count."""
        self.held += count
        self.held_bytes += size

    def release(self, count: int = 1, size: int = 0) -> None:
        """Count."""
        self.held -= count
        self.held_bytes -= size
        assert self.held >= 0
        assert self.held_bytes >= 0

    def when_relieved(self, callback: Callable[[], None]) -> None:
        """Keep it for `relieve`."""
        self.relieved.append(callback)

    # As the test plays it

    def relieve(self) -> None:
        """Some of the backlog has gone."""
        relieved, self.relieved = self.relieved, []
        for callback in relieved:
            callback()

    def take(self) -> list[str | bytes]:
        """What was sent since the last time, without the `4` of the text messages."""
        sent, self._sent = self._sent, []
        return [frame[1:] if isinstance(frame, str) else frame for frame in sent]


class FakeIntake(Intake[FakeEngine]):
    """An intake that takes whatever comes; the options are those of a client."""

    def __init__(self, engine: FakeEngine, **options: Any) -> None:
        self.timers = Timers(lambda: None)
        self.late: list[RemoteProtocolError] = []
        self.attaches = True
        super().__init__(ClientConfig(**options), self.timers, JsonParser().decoder())
        self.session = engine

    @property
    def may_attach(self) -> bool:
        """As the test says."""
        return self.attaches

    def attachments_late(self, error: RemoteProtocolError) -> None:
        """Keep the error."""
        self.late.append(error)


class Rig:
    """A client and the time; its attempts are `FakeEngine`s, the last of them is `engine`."""

    def __init__(self, url: str | AskUrl = "http://server.example", **options: Any) -> None:
        self.runtime = Dialer()
        self.now = 100.0
        self.engines: list[FakeEngine] = []
        self.entropy: Callable[[int], bytes] = lambda size: MIDDLE
        rig = self

        class Client(ClientApp):
            """One whose sessions are played."""

            def _new_session(self, receiver: EngineReceiver) -> Engine:
                engine = FakeEngine(receiver)
                rig.engines.append(engine)
                return engine

        self.client = Client(self.runtime, url, entropy=lambda size: self.entropy(size), **options)

    @property
    def engine(self) -> FakeEngine:
        """The session of the last attempt."""
        return self.engines[-1]

    def settle(self) -> None:
        """Deliver, step tasks and fire what is due, until nothing more happens."""
        for _ in range(100):
            self.client.deliver()
            self.runtime.run()
            self.client.deliver()
            deadline = self.client.next_deadline()
            if deadline is None or deadline > self.now:
                return
            self.client.handle_timeout(self.now)
        raise AssertionError("the client never comes to rest")

    def advance(self, seconds: float) -> None:
        """Let time pass, stopping at every deadline on the way."""
        end = self.now + seconds
        while True:
            self.settle()
            deadline = self.client.next_deadline()
            if deadline is None or deadline > end:
                break
            self.now = max(self.now, deadline)
            self.client.handle_timeout(self.now)
        self.now = end
        self.settle()

    # What the network does

    def open(self) -> list[str | bytes]:
        """The attempt succeeds; what the client says first."""
        self.settle()
        self.engine.receiver.opened(self.now)
        self.settle()
        return self.engine.take()

    def fail(self, message: str = "websocket error") -> TransportError:
        """The attempt fails."""
        self.settle()
        error = TransportError(message)
        self.engine.abort(Reason.TRANSPORT_ERROR, error)
        self.settle()
        return error

    def lose(self, reason: Reason = Reason.TRANSPORT_CLOSE, error: Exception | None = None) -> None:
        """The connection is lost."""
        self.engine.abort(reason, error)
        self.settle()

    def receive(self, *frames: str | bytes) -> list[str | bytes]:
        """The server sends packets; what the client answers."""
        for frame in frames:
            if self.engine.ended is None:
                try:
                    self.engine.receiver.message(frame, self.now)
                except RemoteProtocolError as error:
                    self.engine.abort(Reason.PARSE_ERROR, error)
        self.settle()
        return self.engine.take()

    # What an application does

    def joined(self, namespace: str = "/", sid: str = "sid", **options: Any) -> ClientSocket:
        """A socket that is connected, over a connection that is made if there is none."""
        socket = self.client.socket(namespace, **options)
        socket.connect()
        self.settle()
        if self.client.state is not ClientState.OPEN:
            self.open()
        self.accept(namespace, sid)
        self.engine.take()
        assert socket.connected
        return socket

    def accept(self, namespace: str = "/", sid: str = "sid", **more: Any) -> list[str | bytes]:
        """The server lets a socket in; what it gets then."""
        return self.receive(f"0{prefix(namespace)}{json.dumps({'sid': sid, **more})}")

    def rejoin(self, sid: str = "again") -> list[str | bytes]:
        """The connection is made again, and `/` is let in; what the server gets then."""
        assert self.open() == ["0"]
        return self.accept(sid=sid)

    def task(self, coroutine: Any) -> Task[Any]:
        """A task of the application."""
        task: Task[Any] = Task(self.runtime, coroutine)
        self.settle()
        return task


def prefix(namespace: str) -> str:
    """How a packet says the namespace."""
    return "" if namespace == "/" else namespace + ","


def record(socket: ClientSocket, *names: str) -> list[tuple[Any, ...]]:
    """Listen to each of the events; what happened, as (event, *arguments)."""
    told: list[tuple[Any, ...]] = []

    def register(name: str) -> None:
        def listener(*args: Any) -> None:
            told.append((name, *args))

        socket.on(name, listener)

    for name in names:
        register(name)
    return told


def record_client(client: ClientApp, *names: str) -> list[tuple[Any, ...]]:
    """The same for what happens to the client itself."""
    told: list[tuple[Any, ...]] = []

    def register(name: str) -> None:
        def listener(*args: Any) -> None:
            told.append((name, *args))

        client.on(name, listener)

    for name in names:
        register(name)
    return told


def uniform_entropy(seed: int) -> Callable[[int], bytes]:
    """Bytes that look like chance, the same for the same seed."""
    state = seed

    def entropy(size: int) -> bytes:
        nonlocal state
        state = (state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        return (state >> 16).to_bytes(6, "big")[:size]

    return entropy

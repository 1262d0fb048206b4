"""Models of clients: what a correct Socket.IO client does, one step at a time.

A model numbers what it sends, and keeps the numbers that it gets; a test says when it sends,
polls, upgrades, and dies.
"""

from __future__ import annotations

import json

from support.engineio import post_bytes
from support.transcript import Driver, Pipe, WebSocketPipe


class Client:
    """A client that has shaken hands and asked for the main namespace."""

    def __init__(self, driver: Driver, transport: str) -> None:
        self.driver = driver
        self.sent = 0
        self.got: list[int] = []
        self.socket_id = ""
        self.alive = True
        self.closed = False
        self.poll: Pipe | None = None
        self.prober: WebSocketPipe | None = None
        self.probed = False
        self.websocket: WebSocketPipe | None = None
        self.post_pipe: Pipe | None = None
        if transport == "polling":
            self.sid = driver.poll_handshake()
        else:
            self.websocket = driver.websocket()
            [handshake] = self.websocket.take()
            assert isinstance(handshake, str)
            self.sid = json.loads(handshake[1:])["sid"]
        self.write("40")
        self.collect()

    @property
    def open(self) -> bool:
        """Whether it can still send."""
        return self.alive and not self.closed

    # What a client does

    def emit(self) -> None:
        """Send the next number."""
        self.write(f'42["up",{self.sent}]')
        self.sent += 1

    def write(self, *packets: str) -> None:
        """Send packets by whatever carries the session now."""
        if self.websocket is not None:
            self.websocket.send(*packets)
            return
        post = self.driver.connect()
        post.send(post_bytes(self.sid, "\x1e".join(packets)))
        answer = post.answer()
        # The server has closed the session; none means that it says so to a poll first.
        if answer is None or answer.status == 400:
            self.closed = True
        else:
            assert answer.body == "ok"

    def start_poll(self) -> None:
        """Send a GET, if none is under way and no upgrade is about to end."""
        if self.websocket is None and self.poll is None and not self.probed:
            self.poll = self.driver.get(self.sid)

    def collect(self) -> None:
        """Read what has come, and answer pings."""
        if self.websocket is None:
            self.start_poll()
            self._read_poll()
        else:
            self._read_websocket(self.websocket)

    def _read_poll(self) -> None:
        answer = self.poll.answer() if self.poll is not None else None
        if answer is None:
            return
        self.poll = None
        if answer.status == 400:
            self.closed = True
            return
        assert answer.status == 200
        self._read(answer.body.split("\x1e"))

    def _read_websocket(self, websocket: WebSocketPipe) -> None:
        messages = websocket.take()
        self._read([message for message in messages if isinstance(message, str)])
        if websocket.close_code is not None:
            self.closed = True

    def _read(self, packets: list[str]) -> None:
        for packet in packets:
            if packet == "2":
                self.write("3")
            elif packet == "1" or packet.startswith("41"):
                self.closed = True
            elif packet.startswith("40"):
                self.socket_id = json.loads(packet[2:])["sid"]
            elif packet.startswith("42"):
                name, number = json.loads(packet[2:])
                assert name == "down"
                self.got.append(number)
            else:
                assert packet == "6", packet

    def begin_upgrade(self) -> None:
        """Open a WebSocket for the session, and probe."""
        prober = self.driver.websocket(self.sid)
        if prober.status == 101:
            self.prober = prober
            prober.send("2probe")

    def finish_upgrade(self) -> None:
        """Once the probe is answered and no GET is under way, take the WebSocket."""
        prober = self.prober
        if prober is None:
            return
        if prober.take() == ["3probe"]:
            self.probed = True
        if prober.close_code is not None:
            self.prober, self.probed = None, False
            return
        self._read_poll()
        if self.probed and self.poll is None and not self.closed:
            prober.send("5")
            self.websocket, self.prober, self.probed = prober, None, False

    def abandon_upgrade(self, wrong_packet: bool) -> None:
        """The WebSocket fails before it has taken over."""
        if self.prober is not None:
            if wrong_packet:
                self.prober.send("4no")
            else:
                self.prober.pipe.lose()
            self.prober, self.probed = None, False

    def say_goodbye(self) -> None:
        """Close the session in good order."""
        self.write("41", "1")
        self.closed = True

    def vanish(self) -> None:
        """Every connection breaks."""
        self.alive = False
        for pipe in self._pipes():
            pipe.lose()

    def fall_silent(self) -> None:
        """Every connection stays, and nothing is read or written any more."""
        self.alive = False
        for pipe in self._pipes():
            pipe.writable = False

    def _pipes(self) -> list[Pipe]:
        websockets = [each.pipe for each in (self.websocket, self.prober) if each is not None]
        return websockets + ([self.poll] if self.poll is not None else [])

"""Measurements of connections as such: what it costs to open them, and to have them."""

from __future__ import annotations

import socket
import time
from contextlib import closing
from typing import Final

from . import frames, load
from .connections import PATIENCE, Address, Connections, open_connections
from .contestants import Running
from .machine import Meter, resident_bytes
from .samples import Effort, Measure, Sample, steady

FIRST: Final = 10  # connections that are there before memory is counted
SETTLING: Final = 1.0  # seconds after the last connection, before memory is counted
GOODBYES: Final = 64  # connections that are closing at the same time

SHORT_INTERVAL: Final = 2.5  # seconds between pings where idle CPU is measured
REAL_INTERVAL: Final = 25.0  # seconds for which the result is meant


class Visitors:
    """Clients that connect and go at once, with the closing handshake of WebSocket."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._seen = 0
        self._going: list[socket.socket] = []

    def run(self, seconds: float) -> int:
        """Let them come for so many seconds, and all go; return how many there were."""
        count = open_connections(
            self._address, self._say_goodbye, seconds=seconds, first=self._seen
        )
        self._see_off()
        self._seen += count
        return count

    def _say_goodbye(self, sock: socket.socket, _: bytearray) -> None:
        sock.send(frames.BYE)
        self._going.append(sock)
        if len(self._going) >= GOODBYES:
            self._see_off()

    def _see_off(self) -> None:
        """Wait until the server has ended each connection, as WebSocket has it."""
        for sock in self._going:
            with sock:
                sock.settimeout(PATIENCE)
                while sock.recv(4096):
                    pass
        self._going.clear()


def connect(server: Running, effort: Effort) -> Sample:
    """Open a WebSocket, CONNECT, close: counted are the connections."""
    visitors = Visitors(Address(server.port, server.contestant.bare))
    return steady(server, effort, visitors.run)


def memory(count: int) -> Measure:
    """Open so many connections and leave them alone: KiB of resident memory for each."""

    def measure(server: Running, effort: Effort) -> Sample:
        meter = Meter(server.pid)
        with Connections(Address(server.port, server.contestant.bare)) as opened:
            opened.open(FIRST)
            time.sleep(SETTLING)
            before = resident_bytes(server.pid)
            opened.open(count)
            time.sleep(SETTLING)
            after = resident_bytes(server.pid)
        details = {"MiB in all": after / 2**20}
        return Sample((after - before) / count / 1024, meter.read().foreign, details)

    return measure


def idle(count: int) -> Measure:
    """Have so many connections that do nothing but answer pings: percent of a core.

    The pings are ten times as frequent as in real life, so that it need not be watched for
    minutes; the result is scaled back.
    """

    def measure(server: Running, effort: Effort) -> Sample:
        with Connections(Address(server.port)) as opened:
            opened.open(count)
            with closing(load.IdleLoop(opened)) as loop:
                loop.run(2 * SHORT_INTERVAL)
                meter = Meter(server.pid)
                pings = loop.run(2 * SHORT_INTERVAL)
                usage = meter.read()
        percent = usage.cpu / usage.wall * 100 * SHORT_INTERVAL / REAL_INTERVAL
        return Sample(percent, usage.foreign, {"pings a second": pings / usage.wall})

    return measure

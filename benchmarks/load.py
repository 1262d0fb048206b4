"""The load: loops that keep a server busy over connections that are open, and count.

A loop writes bytes made beforehand and counts the bytes that come back; it parses nothing. That is
enough since all answers to one request are equally long. Heartbeats, which come in between, are
found where the count does not fit. `run` may be called again and goes on where it stopped.
"""

from __future__ import annotations

import os
import select
from collections.abc import Sequence
from time import perf_counter
from typing import Final

from . import frames
from .connections import PATIENCE, Connections, ServerFailed

MOST: Final = 65_536  # bytes that are read at once


def answer_length(connections: Connections, request: bytes, wanted: int) -> int:
    """Send a request once and return the length of its answer, of `wanted` frames, in bytes.

    Raises ServerFailed.
    """
    sock = connections.sockets[0]
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    sock.setblocking(True)
    sock.sendall(request)
    sock.setblocking(False)
    buffer = bytearray()
    length = 0
    while wanted:
        if not poll.poll(PATIENCE * 1000):
            raise ServerFailed("no answer to the first request")
        data = sock.recv(MOST)
        if not data:
            raise ServerFailed("the connection was closed at the first request")
        buffer += data
        before = len(buffer)
        while wanted and (payload := frames.take_frame(buffer)) is not None:
            if payload == b"2":
                sock.send(frames.PONG)
            else:
                length += before - len(buffer)
                wanted -= 1
            before = len(buffer)
    return length


class Loop:
    """What the loops have in common: the descriptors in an epoll, and writing that may not end."""

    def __init__(self, connections: Connections) -> None:
        self.descriptors: Final = [sock.fileno() for sock in connections.sockets]
        self._epoll = select.epoll()
        self._unwritten: dict[int, bytes] = {}
        for fd in self.descriptors:
            self._epoll.register(fd, select.EPOLLIN)

    def poll(self, seconds: float) -> list[tuple[int, int]]:
        """What there is to be read; writes what can be written now. Raises ServerFailed."""
        events = self._epoll.poll(min(seconds, PATIENCE))
        if not events and seconds >= PATIENCE:
            raise ServerFailed(f"silent for {PATIENCE:.0f} s under load")
        if not self._unwritten:
            return events
        for fd, event in events:
            if event & select.EPOLLOUT:
                self.write(fd, self._unwritten.pop(fd))
        return [(fd, event) for fd, event in events if event & ~select.EPOLLOUT]

    def write(self, fd: int, data: bytes) -> None:
        """Write all of it: now, or when the socket takes it."""
        try:
            written = os.write(fd, data)
        except BlockingIOError:
            written = 0
        unwritten = data[written:]
        if unwritten:
            self._unwritten[fd] = self._unwritten.get(fd, b"") + unwritten
        mask = select.EPOLLIN | select.EPOLLOUT if unwritten else select.EPOLLIN
        self._epoll.modify(fd, mask)

    def read(self, fd: int) -> int:
        """Read what has come, answer the pings in it; return its length without them."""
        data = os.read(fd, MOST)
        if not data:
            raise ServerFailed("a connection was closed under load")
        return len(data) - self.heartbeats(fd, data)

    def heartbeats(self, fd: int, data: bytes) -> int:
        """Answer the pings in the data and return their length, in bytes."""
        pings = data.count(frames.PING)
        if pings:
            self.write(fd, frames.PONG * pings)
        return pings * len(frames.PING)

    def close(self) -> None:
        """Give the epoll back; the connections stay open."""
        self._epoll.close()


class RequestLoop(Loop):
    """Each connection has one request in flight, and sends it again when it was answered."""

    def __init__(self, connections: Connections, request: bytes, length: int) -> None:
        super().__init__(connections)
        self._request = request
        self._length = length
        self._missing = dict.fromkeys(self.descriptors, length)
        self._begun = False

    def run(self, seconds: float) -> int:
        """Go on for so many seconds; return how many requests were answered."""
        read, write, now = os.read, os.write, perf_counter
        missing, length, request, size = self._missing, self._length, self._request, MOST
        request_size = len(request)
        answered = 0
        if not self._begun:
            self._begun = True
            for fd in self.descriptors:
                self.write(fd, request)
        end = now() + seconds
        while now() < end:
            for fd, _ in self.poll(PATIENCE):
                data = read(fd, size)
                left = missing[fd] - len(data)
                if left:
                    if not data:
                        raise ServerFailed("a connection was closed under load")
                    left += self.heartbeats(fd, data)
                    missing[fd] = left
                    if left:
                        if left < 0:
                            raise ServerFailed(f"{-left} bytes more than were asked for")
                        continue
                missing[fd] = length
                answered += 1
                written = write(fd, request)
                if written != request_size:
                    self.write(fd, request[written:])
        return answered


class BroadcastLoop(Loop):
    """The first connection asks for a broadcast to all, again when all have received it."""

    def __init__(self, connections: Connections, request: bytes, length: int) -> None:
        super().__init__(connections)
        self._request = request
        self._whole = length * len(self.descriptors)
        self._missing = 0

    def run(self, seconds: float) -> int:
        """Go on for so many seconds; return how many deliveries there were."""
        read, now = os.read, perf_counter
        size = MOST
        missing = self._missing
        broadcasts = 0
        end = now() + seconds
        while now() < end:
            if not missing:
                missing = self._whole
                self.write(self.descriptors[0], self._request)
            for fd, _ in self.poll(PATIENCE):
                missing -= len(read(fd, size))
            if not missing:
                broadcasts += 1
            elif missing < 0:
                raise ServerFailed(f"{-missing} bytes more than were broadcast")
        self._missing = missing
        return broadcasts * len(self.descriptors)


class OpenLoop(Loop):
    """Requests at a fixed rate, whatever the server does: for latencies.

    Each connection in turn sends one. A latency is counted from the moment at which the request
    should have been sent, so one that had to wait is not forgiven.
    """

    def __init__(self, connections: Connections, request: bytes, length: int) -> None:
        super().__init__(connections)
        self._request = request
        self._length = length
        self._received = dict.fromkeys(self.descriptors, 0)

    def run(self, seconds: float, rate: float) -> Sequence[float]:
        """Send `rate` requests a second; return the latencies of the answers, in seconds."""
        sent: dict[int, list[float]] = {fd: [] for fd in self.descriptors}
        latencies: list[float] = []
        begin = perf_counter()
        total = int(rate * seconds)
        number = 0
        while len(latencies) < total:
            due = begin + number / rate
            while number < total and due <= perf_counter():
                fd = self.descriptors[number % len(self.descriptors)]
                sent[fd].append(due)
                self.write(fd, self._request)
                number += 1
                due = begin + number / rate
            # A wait by epoll is up to a millisecond too long: so it is polled without one.
            for fd, _ in self.poll(0.0 if number < total else PATIENCE):
                received = self._received[fd] + self.read(fd)
                answers, self._received[fd] = divmod(received, self._length)
                moment = perf_counter()
                latencies += [moment - due for due in sent[fd][:answers]]
                del sent[fd][:answers]
        return latencies

"""The load: loops that keep a server busy over connections that are open, and count.

A loop writes bytes made beforehand and counts the bytes that come back; it parses nothing. That is
enough since all answers to one request are equally long. Heartbeats, which come in between, are
found where the count does not fit. `run` may be called again and goes on where it stopped.
"""

from __future__ import annotations

import os
import select
from collections import deque
from itertools import count, cycle
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


def response_length(connections: Connections, request: bytes) -> int:
    """Send an HTTP request once and return the length of the response, in bytes.

    Raises ServerFailed.
    """
    sock = connections.sockets[0]
    sock.settimeout(PATIENCE)
    sock.sendall(request)
    buffer = bytearray()
    while (response := frames.take_response(buffer)) is None:
        if not (data := sock.recv(MOST)):
            raise ServerFailed("the connection was closed at the first request")
        buffer += data
    if b" 200 " not in response[:20]:
        raise ServerFailed(f"the request was answered with {response[:200]!r}")
    sock.setblocking(False)
    return len(response)


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
                self._epoll.modify(fd, select.EPOLLIN)
                self.write(fd, self._unwritten.pop(fd))
        return [(fd, event) for fd, event in events if event & ~select.EPOLLOUT]

    def write(self, fd: int, data: bytes) -> None:
        """Write all of it: now, or when the socket takes it."""
        if fd in self._unwritten:
            self._unwritten[fd] += data
            return
        try:
            written = os.write(fd, data)
        except BlockingIOError:
            written = 0
        if written != len(data):
            self._unwritten[fd] = data[written:]
            self._epoll.modify(fd, select.EPOLLIN | select.EPOLLOUT)

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
                # The answer has come, so nothing of the request before it is unwritten.
                try:
                    written = write(fd, request)
                except BlockingIOError:
                    written = 0
                if written != request_size:
                    self.write(fd, request[written:])
        return answered

    def finish(self) -> None:
        """Wait for the answers that are still on their way."""
        waiting = set(self.descriptors) if self._begun else set[int]()
        while waiting:
            for fd, _ in self.poll(PATIENCE):
                self._missing[fd] -= self.read(fd)
                if not self._missing[fd]:
                    waiting.discard(fd)


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


class IdleLoop(Loop):
    """Nothing is sent but the answers to pings."""

    def run(self, seconds: float) -> int:
        """Go on for so many seconds; return how many pings were answered."""
        pings = 0
        end = perf_counter() + seconds
        while (left := end - perf_counter()) > 0:
            for fd, _ in self.poll(left):
                if self.read(fd):
                    raise ServerFailed("an idle connection was sent more than pings")
                pings += 1
        return pings


class OpenLoop(Loop):
    """Requests at a fixed rate, whatever the server does: for latencies.

    Each connection in turn sends one. A latency is counted from the moment at which the request
    should have been sent, so one that had to wait is not forgiven.
    """

    def __init__(self, connections: Connections, request: bytes, length: int) -> None:
        super().__init__(connections)
        self._request = request
        self._length = length

    def run(self, seconds: float, rate: float) -> tuple[list[float], list[float]]:
        """Send `rate` requests a second; return the latencies, and how late each was sent.

        All in seconds.
        """
        due: dict[int, deque[float]] = {fd: deque() for fd in self.descriptors}
        received = dict.fromkeys(self.descriptors, 0)
        latencies: list[float] = []
        delays: list[float] = []
        total = max(1, int(rate * seconds))
        begin = perf_counter()
        turns = zip(count(), cycle(self.descriptors))
        number, fd = next(turns)
        while len(latencies) < total:
            while number < total and (late := perf_counter() - begin - number / rate) >= 0:
                delays.append(late)
                due[fd].append(begin + number / rate)
                self.write(fd, self._request)
                number, fd = next(turns)
            # A wait by epoll may be a millisecond too long: it is asked without waiting.
            for readable, _ in self.poll(0.0 if number < total else PATIENCE):
                received[readable] += self.read(readable)
                answers, received[readable] = divmod(received[readable], self._length)
                moment = perf_counter()
                latencies += [moment - due[readable].popleft() for _ in range(answers)]
        return latencies, delays

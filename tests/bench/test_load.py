"""The load counts what comes back, in whatever pieces, and answers pings.

The server here is a thread with the other ends of socket pairs.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager

import pytest

from benchmarks import frames, load
from benchmarks.connections import Address, Connections, ServerFailed

ECHO = frames.text('42["echo","x"]')
ANSWER = b'\x81\x0e42["echo","x"]'

Answer = Callable[[socket.socket], None]


class Peer:
    """Answers each request on each connection, and counts them."""

    def __init__(self, count: int, answer: Answer) -> None:
        self.requests = 0
        self.pongs = 0
        pairs = [socket.socketpair() for _ in range(count)]
        self.connections = Connections(Address(0))
        self.connections.sockets += [near for near, _ in pairs]
        for near, _ in pairs:
            near.setblocking(False)
        self.threads = [threading.Thread(target=self.serve, args=(far, answer)) for _, far in pairs]
        for thread in self.threads:
            thread.start()

    def serve(self, far: socket.socket, answer: Answer) -> None:
        """Go on until the connection is closed."""
        buffer = b""
        with far:
            while data := far.recv(4096):
                buffer += data
                while buffer:
                    if buffer.startswith(ECHO):
                        buffer = buffer[len(ECHO) :]
                        self.requests += 1
                        answer(far)
                    elif buffer.startswith(frames.PONG):
                        buffer = buffer[len(frames.PONG) :]
                        self.pongs += 1
                    else:
                        break


@contextmanager
def peer(count: int, answer: Answer) -> Generator[Peer]:
    """A peer with so many connections, which has ended when the block has."""
    made = Peer(count, answer)
    try:
        yield made
    finally:
        with made.connections:
            pass
        for thread in made.threads:
            thread.join()


def whole(far: socket.socket) -> None:
    far.sendall(ANSWER)


def byte_by_byte(far: socket.socket) -> None:
    for byte in ANSWER:
        far.sendall(bytes([byte]))


def with_pings(far: socket.socket) -> None:
    far.sendall(frames.PING + ANSWER + frames.PING)


@pytest.mark.parametrize("answer", [whole, byte_by_byte, with_pings])
def test_each_answer_counts_once(answer: Answer) -> None:
    with peer(3, answer) as server:
        assert load.answer_length(server.connections, ECHO, 1) == len(ANSWER)
        first = server.requests
        with closing(load.RequestLoop(server.connections, ECHO, len(ANSWER))) as loop:
            answered = 0
            while answered < 300:
                answered += loop.run(0.01)
            # One on each connection is on its way.
            loop.finish()
            assert answered + 3 == server.requests - first
    assert answer is not with_pings or server.pongs >= 2 * answered


def test_more_than_was_asked_for_is_a_failure() -> None:
    with (
        peer(1, lambda far: far.sendall(ANSWER + ANSWER)) as server,
        closing(load.RequestLoop(server.connections, ECHO, len(ANSWER))) as loop,
        pytest.raises(ServerFailed, match="more than were asked for"),
    ):
        loop.run(60)


def test_a_connection_that_ends_is_a_failure() -> None:
    with (
        peer(1, lambda far: far.shutdown(socket.SHUT_WR)) as server,
        closing(load.RequestLoop(server.connections, ECHO, len(ANSWER))) as loop,
        pytest.raises(ServerFailed, match="closed under load"),
    ):
        loop.run(60)


def test_a_request_may_be_larger_than_the_socket_takes() -> None:
    size = 3_000_000
    near, far = socket.socketpair()
    near.setblocking(False)
    received = 0

    def serve() -> None:
        nonlocal received
        with far:
            while data := far.recv(65_536):
                received += len(data)
                if received % size == 0:
                    far.sendall(b"done")

    thread = threading.Thread(target=serve)
    thread.start()
    with Connections(Address(0)) as connections:
        connections.sockets.append(near)
        with closing(load.RequestLoop(connections, b"x" * size, 4)) as loop:
            answered = 0
            while answered < 5:
                answered += loop.run(0.01)
            loop.finish()
    thread.join()
    assert received == (answered + 1) * size


def test_latencies_are_as_many_as_requests() -> None:
    with (
        peer(4, with_pings) as server,
        closing(load.OpenLoop(server.connections, ECHO, len(ANSWER))) as loop,
    ):
        latencies, delays = loop.run(0.1, 2_000)
        assert len(latencies) == len(delays) == server.requests == 200
    assert min(latencies) > 0
    assert min(delays) >= 0


def test_idle_connections_answer_pings() -> None:
    def ping(far: socket.socket) -> None:
        far.sendall(frames.PING)

    with peer(2, ping) as server, closing(load.IdleLoop(server.connections)) as loop:
        for sock in server.connections.sockets:
            sock.send(ECHO)
        pings = 0
        while pings < 2:
            pings += loop.run(0.01)
        assert loop.run(0.01) == 0
    assert server.pongs == 2

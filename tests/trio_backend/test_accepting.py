"""Taking connections from the kernel: trio_backend/accepting.py."""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections.abc import Iterator

import pytest
import trio
from support.trio_client import HOST, Books, open_stream, websocket
from support.trio_server import complaints, echo_server
from trio.testing import MockClock, wait_all_tasks_blocked

from sansocket.trio_backend.accepting import AT_ONCE, BACK_OFF, FULL, accept_from


class Failing(socket.socket):
    """A listening socket whose `accept` fails as often as it is told to."""

    errors: Iterator[int] = iter(())

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        """Fail, or accept."""
        for number in self.errors:
            raise OSError(number, os.strerror(number))
        return super().accept()


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> type[Failing]:
    """Has `accepting.py` use it."""
    monkeypatch.setattr("sansocket.trio_backend.accepting.socket.socket", Failing)
    return Failing


@pytest.mark.parametrize("number", sorted(FULL))
async def test_no_room_for_more(
    number: int,
    failing: type[Failing],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    autojump_clock: MockClock,
) -> None:
    """Security rule T1: it is logged, and tried again a little later."""
    monkeypatch.setattr(failing, "errors", iter([number, number]))
    io = echo_server()
    async with io.listening(HOST, 0) as bound:
        began = trio.current_time()
        async with websocket(bound.port) as client:
            await client.join()
        assert trio.current_time() - began >= 2 * BACK_OFF
    records = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.name for record in records] == ["sansocket"] * 2


async def test_a_connection_that_is_gone_again(
    failing: type[Failing], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Security rule T1: that is no matter."""
    monkeypatch.setattr(failing, "errors", iter([errno.ECONNABORTED, errno.EPROTO]))
    io = echo_server()
    async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
        await client.join()
    assert complaints(caplog) == []


async def test_a_listener_that_is_none(
    failing: type[Failing], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever serves from it is told."""
    monkeypatch.setattr(failing, "errors", iter([errno.EINVAL]))
    [listener] = await trio.open_tcp_listeners(0, host=HOST)
    address: tuple[str, int] = listener.socket.getsockname()
    with socket.create_connection(address), pytest.raises(OSError, match="Invalid argument"):
        await accept_from(listener, lambda sock, host: sock.close())
    assert listener.socket.fileno() == -1


async def test_many_at_once() -> None:
    """More than are taken at a stretch, each with its address; cancelled, the listener closes."""
    [listener] = await trio.open_tcp_listeners(0, host=HOST, backlog=4 * AT_ONCE)
    address: tuple[str, int] = listener.socket.getsockname()
    taken: list[tuple[bool, int, str]] = []

    def take(sock: socket.socket, host: str) -> None:
        with sock:
            delay = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            taken.append((sock.getblocking(), delay, host))

    clients = [socket.create_connection(address) for _ in range(AT_ONCE + 1)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(accept_from, listener, take)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    for client in clients:
        client.close()
    assert taken == [(False, 1, HOST)] * len(clients)
    assert listener.socket.fileno() == -1


async def test_a_connection_that_cannot_be_served(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Security rule T1: where the loop takes no more, that one is closed, and nothing stays."""
    io = echo_server()

    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no room")

    async with io.listening(HOST, 0) as bound:
        books = Books(io)
        with monkeypatch.context() as patched:
            patched.setattr("sansocket.trio_backend.reading.Reading.add", no_room)
            async with await open_stream(bound.port) as stream:
                assert await stream.receive_some(1) == b""
        await books.balanced()
        async with websocket(bound.port) as client:
            await client.join()
    assert complaints(caplog) == ["connection failed: OSError(28, 'no room')"]

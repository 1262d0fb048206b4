"""Between workers: descriptors of connections, over Unix sockets in a folder that is theirs.

Each worker has a socket with its name there. A message is one packet with one descriptor
(SOCK_SEQPACKET keeps them apart, and tells when a worker is gone). What a message says, this
module does not know, nor does it know the loop that waits for one.
"""

from __future__ import annotations

import array
import logging
import os
import random
import selectors
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from sansocket.sansio.engineio.neighbours import Arrival

logger: logging.Logger = logging.getLogger("sansocket")

LARGEST: Final = 196_608
"""Bytes of one message: two chunks that were read, and a head, fit in."""

AT_ONCE: Final = 16
"""Messages that are taken from one worker before the others have their turn."""

BUSY: Final = (BlockingIOError, InterruptedError)


class Exchange:
    """The other workers, as `Neighbours`: what is sent there, and what comes.

    `folder` is the same for all, and nobody else's (mode 0700): whoever can write to a socket in
    it is trusted. Raises OSError where there are no such sockets, or the name is taken.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._folder = folder
        self._others: dict[str, socket.socket] = {}
        self._turns: list[str] = []
        # One descriptor to wait for stands for them all, whatever loop waits.
        self._selector = selectors.EpollSelector()
        self._closed = False
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._listener.setblocking(False)
            self._listener.bind(str(folder / name))
            self._listener.listen()
        except OSError:
            self._selector.close()
            self._listener.close()
            raise
        self._selector.register(self._listener, selectors.EVENT_READ)

    def choose(self) -> str:
        """See `Neighbours.choose`.

        It goes in rounds, of which each worker has one turn: so their shares differ by one at
        most. The order is by chance, so that nothing that repeats itself (every other request
        one that is refused) falls to the same worker each time.
        """
        try:
            names = os.listdir(self._folder)
        except OSError:
            # The others are gone, and the folder with them.
            names = []
        while self._turns:
            if (name := self._turns.pop()) in names:
                return name
        self._turns = random.sample(names, len(names))
        return self._turns.pop() if self._turns else self.name

    def hand_over(self, to: str, connection: int, message: bytes) -> bool:
        """See `Neighbours.hand_over`."""
        other = self._others.get(to)
        try:
            if other is None:
                other = self._connect(to)
            rights = array.array("i", [connection])
            # Not `socket.send_fds`, which knows no flags before Python 3.14.
            other.sendmsg(
                [message],
                [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)],
                socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL,
            )
        except BUSY:
            return False
        except OSError:
            self._forget(to)
            raise
        return True

    def fileno(self) -> int:
        """See `Neighbours.fileno`."""
        return -1 if self._closed else self._selector.fileno()

    def receive(self) -> Sequence[Arrival]:
        """See `Neighbours.receive`."""
        arrivals: list[Arrival] = []
        if not self._closed:
            for key, _ in self._selector.select(0):
                sock = key.fileobj
                assert isinstance(sock, socket.socket)
                if sock is self._listener:
                    self._accept()
                else:
                    self._read(sock, arrivals)
        return arrivals

    def close(self) -> None:
        """See `Neighbours.close`."""
        if self._closed:
            return
        self._closed = True
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()
        with suppress(OSError):
            os.unlink(self._folder / self.name)
        for name in list(self._others):
            self._forget(name)

    def _connect(self, name: str) -> socket.socket:
        other = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            other.setblocking(False)
            other.connect(str(self._folder / name))
        except OSError:
            other.close()
            raise
        self._others[name] = other
        return other

    def _forget(self, name: str) -> None:
        other = self._others.pop(name, None)
        if other is not None:
            other.close()

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:
            # The one who came is gone, or we have no descriptors left: the next time, then.
            return
        sock.setblocking(False)
        self._selector.register(sock, selectors.EVENT_READ)

    def _read(self, sock: socket.socket, arrivals: list[Arrival]) -> None:
        room = socket.CMSG_SPACE(array.array("i").itemsize)
        for _ in range(AT_ONCE):
            try:
                message, ancillary, _, _ = sock.recvmsg(LARGEST, room, socket.MSG_CMSG_CLOEXEC)
            except BUSY:
                return
            except OSError:
                message, ancillary = b"", []
            if not message:
                self._selector.unregister(sock)
                sock.close()
                return
            rights = array.array("i")
            for _, _, data in ancillary:
                rights.frombytes(data[: len(data) - len(data) % rights.itemsize])
            if len(rights) == 1:
                arrivals.append(Arrival(rights[0], message))
            else:
                # The kernel keeps what it finds no descriptor for: that client is cut off.
                logger.error("a connection of another worker could not be taken")

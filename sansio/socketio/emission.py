"""What is said of one emission of a server to one socket, or to all others, before it is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .broadcast import Broadcast
from .single_emission import SingleEmission

if TYPE_CHECKING:
    from .socket import Socket


class Emission(SingleEmission["Socket"]):
    """An emission to a socket with modifiers; each modifier makes a new one (rule 74)."""

    __slots__ = ()

    def _call_back(self, event: str, callback: Callable[..., None], *args: Any) -> None:
        socket: Socket = self._socket
        socket.namespace.call_back(socket, event, callback, *args)

    @property
    def broadcast(self) -> Broadcast:
        """The same to everyone in the namespace but this socket."""
        broadcast = self._socket.broadcast.compress(self._compress)
        if self._volatile:
            broadcast = broadcast.volatile
        return broadcast if self._seconds is None else broadcast.timeout(self._seconds)

    def to(self, *rooms: str) -> Broadcast:
        """The same to everyone in any of the rooms but this socket."""
        return self.broadcast.to(*rooms)

    in_ = to

    def except_(self, *rooms: str) -> Broadcast:
        """The same to everyone but those in the rooms, and this socket."""
        return self.broadcast.except_(*rooms)

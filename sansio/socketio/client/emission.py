"""What is said of one emission of a client before it is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..single_emission import SingleEmission

if TYPE_CHECKING:
    from .socket import ClientSocket


class ClientEmission(SingleEmission["ClientSocket"]):
    """An emission to the server with modifiers; each modifier makes a new one (rule 74)."""

    __slots__ = ()

    def _call_back(self, event: str, callback: Callable[..., None], *args: Any) -> None:
        socket: ClientSocket = self._socket
        socket.call_back(event, callback, *args)

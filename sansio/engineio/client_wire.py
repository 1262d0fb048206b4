"""One TCP connection of a client: bytes in, bytes out."""

from __future__ import annotations

from .url import Target


class ClientWire:
    """Bytes of one connection to and from the core.

    A driver is given it by `dial`: it connects to `target`, calls `connected` or `failed`, and
    then carries bytes as for a `ServerWire`.
    """

    __slots__ = ("target",)

    def __init__(self, target: Target) -> None:
        self.target = target

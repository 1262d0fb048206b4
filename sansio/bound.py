"""What a server is told when it listens."""

from __future__ import annotations

import msgspec


class Bound(msgspec.Struct, frozen=True):
    """Where a server listens; with port 0 asked for, this is how to learn which was taken."""

    addresses: tuple[tuple[str, int], ...]
    """Host and port of every socket that it listens on; of a Unix socket its path, and 0."""

    @property
    def host(self) -> str:
        """The host of the first, or its path."""
        return self.addresses[0][0]

    @property
    def port(self) -> int:
        """The port of the first, or 0."""
        return self.addresses[0][1]

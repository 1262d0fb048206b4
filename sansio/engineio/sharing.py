"""To which worker a connection goes next, by what it has brought so far.

The kernel spreads connections over the workers, not clients: a proxy brings many over one. This
module does not know how a connection gets to another worker.
"""

from __future__ import annotations

from typing import Final

from ..request import Request
from .admission import shakes_hands
from .neighbours import Neighbours, owner

FORWARDED: Final = frozenset((b"x-forwarded-for", b"forwarded", b"via"))
"""Headers that proxies add: whoever else does so has only its own connection dealt out."""


class Sharing:
    """One connection, and the clients who may stand behind it.

    With TLS it could only be relayed: then it stays for handshakes, and goes for sessions alone.
    """

    __slots__ = ("_neighbours", "_secure", "_shared")

    def __init__(self, neighbours: Neighbours, *, secure: bool) -> None:
        self._neighbours = neighbours
        self._secure = secure
        self._shared = False
        """Whether others may stand behind it than who shook hands first: it has brought requests of
        a session, or a proxy's handshake."""

    def destination(self, request: Request) -> str | None:
        """The worker that it has to go to for this request; None where it stays.

        That is the one whose session the request is for, or whose turn it is to have new ones.
        """
        if "sid" in request.query:
            self._shared = True
            name = owner(request)
        elif shakes_hands(request):
            name = self._turn(request)
        else:
            return None
        return None if name == self._neighbours.name else name

    def _turn(self, request: Request) -> str:
        # A connection that brings requests of sessions goes where these are: the more clients a
        # worker had, the more it would get. So each handshake in between is dealt out; and each but
        # the first where a proxy says that it is one, for many of its clients may shake hands
        # before one asks for more. For the first the kernel has dealt.
        shared = self._shared
        self._shared = shared or forwarded(request)
        return self._neighbours.choose() if shared and not self._secure else self._neighbours.name


def forwarded(request: Request) -> bool:
    """Whether a proxy has said that it passes the request on."""
    return any(name in FORWARDED for name, _ in request.headers)

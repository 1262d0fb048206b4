"""The events that the engine of a client tells its observers, with how many arguments each has.

Those that a server's session has too have the same names there. A client has one engine, so
its functions are not told whose session it is.
"""

from __future__ import annotations

from typing import Final

from ...observers import Observers
from ...runtime import Log
from ..events import SESSION_EVENTS

CLIENT_EVENTS: Final = {
    "open": 0,  # the server has shaken hands
    **SESSION_EVENTS,
    "upgrade_error": 1,  # a transport has not taken over, for this TransportError
}


def client_observers(log: Log) -> Observers:
    """The functions that are told of `CLIENT_EVENTS`, none yet; what they raise goes to `log`."""
    return Observers(CLIENT_EVENTS, log, of_one=True)

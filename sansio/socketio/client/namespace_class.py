"""Listeners of one socket of a client as the methods of a class."""

from __future__ import annotations

from ..event_methods import EventMethods
from .socket import ClientSocket


class ClientNamespaceClass(EventMethods):
    """A base class: `on_EVENT` listens to the event, and so does a method marked with `event`.

    An instance becomes effective by `client.register(instance)`. The methods are looked at
    once, then; no name that a server sends is ever looked up in the object (security rule 17).
    """

    name: str = "/"
    """The namespace that it is for."""
    socket: ClientSocket
    """Its socket, once the instance is registered."""

"""Handlers of one namespace of a server as the methods of a class."""

from __future__ import annotations

import re

from .event_methods import EventMethods
from .namespace import Namespace


class NamespaceClass(EventMethods):
    """A base class: `on_EVENT` handles the event, and so does a method marked with `event`.

    An instance becomes effective by `io.register(instance)`. The methods are looked at once,
    then; no name that a client sends is ever looked up in the object (security rule 17).
    """

    name: str | re.Pattern[str] = "/"
    """The namespace that it is for, or a pattern for the names of many."""
    namespace: Namespace
    """That namespace itself, once the instance is registered; or the parent of all of them."""

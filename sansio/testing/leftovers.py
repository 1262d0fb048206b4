"""What is left in the tables of a server or a client: nothing, once everybody has gone."""

from __future__ import annotations

from collections.abc import Iterable, Sized

from ..socketio.app import App
from ..socketio.client.app import ClientApp

Counted = Iterable[tuple[str, int | Sized]]


def left_in_server(app: App) -> list[str]:
    """A line for each table of a server that has entries."""
    return lines(
        [
            ("sessions", app.engine.sessions),
            ("timers", app.engine.timers),
            ("events", app.core.events),
            *((f"sockets of {name}", each.sockets) for name, each in app.core.namespaces.items()),
            *((f"rooms of {n}", each.adapter.rooms()) for n, each in app.core.namespaces.items()),
        ]
    )


def left_in_client(client: ClientApp) -> list[str]:
    """A line for each table of a client that has entries; of one that has been closed."""
    return lines(
        [
            ("sockets", client.members),
            ("connections", client.links),
            *((f"acknowledgements of {n}", m.outbound.awaited) for n, m in client.members.items()),
            ("timers", client.timers),
        ]
    )


def lines(tables: Counted) -> list[str]:
    """A line for each table that has entries."""
    counts = [(name, each if isinstance(each, int) else len(each)) for name, each in tables]
    return [f"{count} {name}" for name, count in counts if count]

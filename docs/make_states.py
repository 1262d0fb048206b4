"""Write docs/states.md from the tables of states: `python docs/make_states.py`.

A test compares the file with what this makes, so a changed table cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TypeVar

from sansocket.sansio.engineio import states as session_states
from sansocket.sansio.engineio.client import states as client_states
from sansocket.sansio.socketio import states as socket_states
from sansocket.sansio.socketio.client import states as socketio_client_states

HEAD = """\
# States

Made by `python docs/make_states.py` from the tables in the source: change those, not this.
"""


StateT = TypeVar("StateT", bound=Enum)
InputT = TypeVar("InputT", bound=Enum)


def diagram(transitions: Mapping[StateT, Mapping[InputT, StateT]], first: list[StateT]) -> str:
    """A Mermaid diagram of a table; `first` are the states that something can begin in."""
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    [*] --> {state.name}" for state in first]
    for state, inputs in transitions.items():
        lines += [f"    {state.name} --> {to.name}: {what.name}" for what, to in inputs.items()]
        if not inputs:
            lines.append(f"    {state.name} --> [*]")
    return "\n".join([*lines, "```"])


def page() -> str:
    """The whole of docs/states.md."""
    session, socket = session_states.State, socket_states.State
    clients = socketio_client_states
    return "\n".join(
        [
            HEAD,
            "## A session (`sansio/engineio/states.py`)\n",
            diagram(session_states.TRANSITIONS, [session.POLLING, session.WEBSOCKET]),
            "\n## A client's session (`sansio/engineio/client/states.py`)\n",
            diagram(client_states.TRANSITIONS, [client_states.ClientState.IDLE]),
            "\n## A socket (`sansio/socketio/states.py`)\n",
            diagram(socket_states.TRANSITIONS, [socket.CONNECTING]),
            "\n## A client (`sansio/socketio/client/states.py`)\n",
            diagram(clients.CLIENT_TRANSITIONS, [clients.ClientState.CLOSED]),
            "\n## A socket of a client (`sansio/socketio/client/states.py`)\n",
            diagram(clients.SOCKET_TRANSITIONS, [clients.SocketState.INACTIVE]),
            "",
        ]
    )


if __name__ == "__main__":
    Path(__file__).with_name("states.md").write_text(page(), encoding="utf-8")

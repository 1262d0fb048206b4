"""The commands of a session: what begins with a slash.

Each is a function of the session and of what stands behind its name; `COMMANDS` has them with
their help. This module does not know who types them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sansocket.sansio.errors import LocalProtocolError

from . import reports
from .json_lines import Addressed, Answer, Input
from .line_grammar import Command, Emission, LineError, ReadFile, parse_arguments, shortened
from .session import Session
from .values import escaped

Do = Callable[[Session, str], None]

GRAMMAR: Final = """\
event argument …     send an event; with ? at the end it asks for an acknowledgement
  arguments: JSON, a word, 'text', b64:… for bytes, @file for a file's bytes
  example: greet {"name": "Ada"} 5 "true" ?"""


class Quit(Exception):
    """The session is to end."""


def perform(session: Session, what: Input | None, read_file: ReadFile) -> None:
    """Do what a line says; what cannot be done is reported as a problem.

    Raises Quit.
    """
    try:
        match what:
            case None:
                pass
            case Emission():
                session.emit(what)
            case Addressed(namespace, emission):
                session.emit(emission, namespace)
            case Answer(number, args):
                session.answer(number, args)
            case Command("ack", rest):
                word, _, text = rest.partition(" ")
                session.answer(ack_number(word), parse_arguments(text, read_file))
            case Command(name, rest):
                command(name)(session, rest)
    except (LineError, LocalProtocolError, ValueError) as error:
        session.problem(str(error))


def ack_number(text: str) -> int:
    """Read the number of an event that waits to be acknowledged."""
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise LineError(f"/ack: expected the number of an event, got {shortened(text)}")
    return int(text)


def command(name: str) -> Do:
    """The command of this name, or of the only one that begins so."""
    if name in COMMANDS:
        return COMMANDS[name][1]
    found = [full for full in COMMANDS if name and full.startswith(name)]
    if len(found) != 1:
        known = ", ".join(f"/{full}" for full in found or COMMANDS)
        raise LineError(f"expected one of {known}, got {shortened('/' + name)}")
    return COMMANDS[found[0]][1]


def help_(session: Session, rest: str) -> None:
    """Say what there is."""
    commands = "\n".join(f"{'/' + name:20} {text}" for name, (text, _) in COMMANDS.items())
    session.report(reports.Remark(f"{GRAMMAR}\n{commands}"))


def namespace(session: Session, rest: str) -> None:
    """Join a namespace and make it the current one; without a name, list those there are."""
    if rest:
        if not rest.startswith("/"):
            raise LineError(f"/namespace: expected a name that begins with /, got {rest!r}")
        session.join(rest)
        session.namespace = rest
        return
    lines = [
        f"{'*' if name == session.namespace else ' '} {escaped(name)}"
        f" ({state(member.socket.connected, member.socket.active)})"
        for name, member in session.members.items()
    ]
    session.report(reports.Remark("\n".join(lines)))


def state(connected: bool, active: bool) -> str:
    """Where a socket stands."""
    return "connected" if connected else "connecting" if active else "not connected"


def leave(session: Session, rest: str) -> None:
    """Leave a namespace; the connection goes with the last one."""
    name = rest or session.namespace
    member = session.members.get(name)
    if member is None or not member.socket.active:
        raise LineError(f"/leave: {name!r} is not joined")
    member.socket.disconnect()
    session.leave_current(name)


def disconnect(session: Session, rest: str) -> None:
    """Leave every namespace, and so the connection."""
    for member in session.members.values():
        member.socket.disconnect()


def connect(session: Session, rest: str) -> None:
    """Join again what has been left, or what the server has thrown us out of."""
    if all(member.socket.active for member in session.members.values()):
        raise LineError("/connect: every namespace is joined, or will be")
    for name in session.members:
        session.join(name)


def transport(session: Session, rest: str) -> None:
    """Say what carries the connection."""
    carrier = session.client.engine.transport
    if carrier is None or not session.connected:
        raise LineError("/transport: there is no connection")
    session.report(reports.Remark(carrier))


def quit_(session: Session, rest: str) -> None:
    """End."""
    raise Quit


def ack(session: Session, rest: str) -> None:
    """Stands in the table for its help: `perform` reads its arguments."""
    raise LineError("/ack: expected the number of an event")


COMMANDS: Final[dict[str, tuple[str, Do]]] = {
    "ack": ("acknowledge an event that asks for it: /ack NUMBER argument …", ack),
    "namespace": ("join a namespace, and send to it; without a name, list them", namespace),
    "leave": ("leave this namespace, or the one named", leave),
    "disconnect": ("leave all, and the connection", disconnect),
    "connect": ("come back", connect),
    "transport": ("say what carries the connection", transport),
    "help": ("this list", help_),
    "quit": ("end; so does the end of input, and Ctrl-C on an empty line", quit_),
}

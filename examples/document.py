"""A text that several people edit at once, for a server of either backend.

See document_trio.py and document_asyncio.py; tests/examples/test_document.py is a client.

An operation makes the version after `version`: it puts `text` in the place of the characters
(Unicode's code points) from `start` to `end`. The server brings all operations into one order.
What was written for an older version is moved to where it belongs by now, so that what counts is
what the server sends: to others as the event `operation`, to its author as the acknowledgement
of `edit`. Everybody gets every operation, in this order, and has the same text at a version.

A client says in its `auth` what it has, and gets what it missed, or the whole `document`. It
sends its edits one at a time, with a number; one whose acknowledgement was lost it sends again,
under the same number, and the server makes it once. `key` is a random secret by which the server
knows who comes back. The server tells everybody `people`, and others where somebody's `cursor` is.
"""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import Annotated, Final

import msgspec
from checked import Refused, checked

from sansocket.sansio.errors import ConnectionRefused
from sansocket.sansio.socketio.namespace import Namespace
from sansocket.sansio.socketio.socket import Socket

MAX_DOCUMENTS: Final = 100
MAX_PEOPLE: Final = 50  # in one document
MAX_KEYS: Final = 1_000  # whose last edit a document remembers
MAX_HISTORY: Final = 500  # operations that a document remembers
MAX_LENGTH: Final = 100_000  # characters of a document

Count = Annotated[int, msgspec.Meta(ge=0)]
Label = Annotated[str, msgspec.Meta(pattern=r"\A\w(?:[\w .'-]{0,22}\w)?\Z")]
Key = Annotated[str, msgspec.Meta(min_length=16, max_length=64)]
Text = Annotated[str, msgspec.Meta(max_length=2_000)]


class Visit(msgspec.Struct, frozen=True):
    """What a client gives as `auth`; an epoch and a version, where it has the text already."""

    document: Label
    name: Label
    key: Key
    epoch: str = ""
    version: Count = 0


class Operation(msgspec.Struct, frozen=True):
    """Put `text` in the place of the characters from `start` to `end` of a version."""

    version: Count
    start: Count
    end: Count
    text: Text

    def __post_init__(self) -> None:
        """Refuse what is no operation: msgspec makes its own error of a ValueError."""
        if self.start > self.end:
            raise ValueError("start is behind end")
        self.text.encode()  # half a surrogate pair is no character

    def after(self, other: Operation) -> Operation:
        """The same, where another one has been made of the same version first."""
        growth = len(other.text) - (other.end - other.start)
        start = self.start if self.start < other.start else max(self.start, other.end) + growth
        end = self.end + growth if self.end > other.end else min(self.end, other.start)
        return Operation(other.version + 1, start, max(start, end), self.text)


@dataclass
class Document:
    """A text, the operations that led to it, and who is here."""

    name: str
    epoch: str = field(default_factory=lambda: secrets.token_hex(8))
    """Of another epoch, begun by another server, the same version is another text."""
    version: int = 0
    text: str = ""
    history: deque[Operation] = field(default_factory=lambda: deque[Operation](maxlen=MAX_HISTORY))
    people: dict[str, Socket] = field(default_factory=dict[str, Socket])
    """By key."""
    last_edits: dict[str, tuple[int, Operation]] = field(
        default_factory=dict[str, tuple[int, Operation]]
    )
    """By key: the number that its author gave it, and what was made of it."""

    @property
    def room(self) -> str:
        """The room of those who are here."""
        return f"document:{self.name}"

    def since(self, version: int) -> list[Operation]:
        """The operations from a version on; raises Refused where they are not remembered."""
        if not self.version - len(self.history) <= version <= self.version:
            raise Refused("No operations are known from that version on")
        return [operation for operation in self.history if operation.version >= version]

    def edit(self, operation: Operation) -> Operation:
        """Make an operation, and return it as it was made; raises Refused where it cannot be."""
        for other in self.since(operation.version):
            operation = operation.after(other)
        text = self.text[: operation.start] + operation.text + self.text[operation.end :]
        if operation.end > len(self.text) or len(text) > MAX_LENGTH:
            raise Refused("There is no such place in the text, or no room for more")
        self.text = text
        self.version += 1
        self.history.append(operation)
        return operation


def add_documents(io: Namespace) -> None:
    """Register the documents with a server, or with one of its namespaces.

    The handlers are plain functions: nothing happens to a document while one of them runs.
    """
    documents: dict[str, Document] = {}

    def tell_people(document: Document) -> None:
        people = {socket.id: socket.data["visit"].name for socket in document.people.values()}
        io.to(document.room).emit("people", people)

    @io.use
    def let_in(socket: Socket, auth: dict[str, object]) -> None:
        try:
            visit = msgspec.convert(auth, Visit)
        except msgspec.ValidationError as error:
            raise ConnectionRefused(str(error)) from error
        if visit.document not in documents and len(documents) >= MAX_DOCUMENTS:
            raise ConnectionRefused("There are too many documents")
        document = documents.setdefault(visit.document, Document(visit.document))
        if visit.key not in document.people and len(document.people) >= MAX_PEOPLE:
            raise ConnectionRefused("There are too many people")
        socket.data.update(visit=visit, document=document)

    @io.on("connect")
    def connected(socket: Socket) -> None:
        visit: Visit = socket.data["visit"]
        document: Document = socket.data["document"]
        ghost = document.people.get(visit.key)
        document.people[visit.key] = socket
        if ghost is not None:
            ghost.disconnect(close=True)  # back before the server missed the old connection
        socket.join(document.room)
        try:
            missed = document.since(visit.version if visit.epoch == document.epoch else -1)
        except Refused:
            whole = {"epoch": document.epoch, "version": document.version, "text": document.text}
            socket.emit("document", whole)
        else:
            for operation in missed:
                socket.emit("operation", msgspec.to_builtins(operation))
        tell_people(document)

    @io.on("disconnect")
    def disconnected(socket: Socket, reason: str) -> None:
        visit: Visit = socket.data["visit"]
        document: Document = socket.data["document"]
        if document.people.get(visit.key) is socket:
            del document.people[visit.key]
            tell_people(document)
        if not document.people and document.version == 0:
            del documents[document.name]

    @io.on("edit")
    @checked
    def edit(socket: Socket, number: Count, operation: Operation) -> object:
        visit: Visit = socket.data["visit"]
        document: Document = socket.data["document"]
        last, made = document.last_edits.get(visit.key, (number - 1, operation))
        if number == last + 1:
            made = document.edit(operation)
            document.last_edits.pop(visit.key, None)
            document.last_edits[visit.key] = number, made
            if len(document.last_edits) > MAX_KEYS:
                del document.last_edits[next(iter(document.last_edits))]
            socket.to(document.room).emit("operation", msgspec.to_builtins(made))
        elif number != last:
            raise Refused(f"Expected edit {last + 1}")
        return msgspec.to_builtins(made)

    @io.on("cursor")
    @checked
    def cursor(socket: Socket, position: Count) -> None:
        # Volatile: who cannot take it now will not need it later.
        document: Document = socket.data["document"]
        socket.to(document.room).volatile.emit("cursor", socket.id, position)

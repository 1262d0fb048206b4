"""What the tests of the examples talk with: npm's client, told what to do from here.

This module does not know the examples.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from interop.programs import Program, node


class Puppets(Program):
    """Clients of one server, each with a name: see client.mjs for what they can do."""

    def __init__(self, url: str, complaints: Path) -> None:
        super().__init__(node(Path(__file__).parent / "client.mjs"), complaints)
        self._url = url

    def connect(self, name: str, auth: object = None) -> str | None:
        """Connect a client; returns None, or why the server refused it."""
        reason: str | None = self._do("connect", name, self._url, auth)
        return reason

    def ask(self, name: str, event: str, *args: object) -> Any:
        """Send an event, and return what it is acknowledged with."""
        [answer] = self.ask_at_once((name, event, *args))
        return answer

    def ask_at_once(self, *requests: Sequence[object]) -> list[Any]:
        """Send events, each given as client, event and arguments; what each was answered."""
        answers: list[Any] = self._do("ask", *requests)
        return answers

    def next(self, name: str, event: str) -> Any:
        """The arguments of the next event of that name, in the order in which they came."""
        return self._do("next", name, event)

    def lose(self, name: str) -> None:
        """Take the network away from a client."""
        self._do("lose", name)

    def restore(self, name: str, auth: object = None) -> None:
        """Give it back: the client connects again, with this `auth`."""
        assert self._do("restore", name, auth) is None

    def leave(self) -> None:
        """Disconnect all clients."""
        self._do("leave")

    def _do(self, *command: object) -> Any:
        self.tell(json.dumps(command))
        answer = json.loads(self.line())
        assert "failed" not in answer, answer["failed"]
        return answer["value"]

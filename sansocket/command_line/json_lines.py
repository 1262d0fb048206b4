"""What scripts read and write: one JSON object a line.

JSON has no binary data: `{"$base64": "…"}` stands for it, both ways. An object of the application's
with a key of that kind alone gets one more `$`, so that everything reads back as what it was. This
module does not know what is done with what a line says.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from .line_grammar import Command, Emission, LineError, decode, shortened
from .values import escaped

BASE64: Final = "$base64"
LIKE_BASE64: Final = re.compile(r"\$+base64")


@dataclass(frozen=True, slots=True)
class Answer:
    """An acknowledgement of an event that has come, by its number."""

    number: int
    args: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Addressed:
    """An event for another namespace than the current one."""

    namespace: str
    emission: Emission


Input = Emission | Addressed | Answer | Command
"""What a line may say."""


def dump(value: object) -> str:
    """One line of JSON, in which nothing is that a terminal might obey (security rule 34)."""
    return escaped(json.dumps(to_json(value), ensure_ascii=False, default=repr))


def to_json(value: object) -> Any:
    """A value with an object in the place of each binary one."""
    if isinstance(value, bytes):
        return {BASE64: base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        copy = {str(key): to_json(item) for key, item in items}
        if len(copy) == 1 and LIKE_BASE64.fullmatch(only := next(iter(copy))):
            return {f"${only}": copy[only]}
        return copy
    if isinstance(value, list | tuple):
        return [to_json(item) for item in cast("list[object]", value)]
    return value


def from_json(value: Any) -> Any:
    """The value that `to_json` has made this of; raises LineError for base64 that is none."""
    if isinstance(value, list):
        return [from_json(item) for item in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    copy = cast("dict[str, Any]", value)
    if len(copy) == 1 and LIKE_BASE64.fullmatch(only := next(iter(copy))):
        if only != BASE64:
            return {only[1:]: from_json(copy[only])}
        try:
            return base64.b64decode(copy[only], validate=True)
        except (TypeError, ValueError, binascii.Error) as error:
            raise LineError(f"{BASE64}: expected base64: {error}") from error
    return {key: from_json(item) for key, item in copy.items()}


def parse_json_line(line: str) -> Input | None:
    """Read a line of a script; None for an empty one. Raises LineError.

    `{"event": "name", "args": […], "ack": true, "namespace": "/"}`, of which the name is needed;
    `{"ack": 3, "args": […]}`; `{"command": "/leave"}`.
    """
    line = line.strip()
    if not line:
        return None
    value, end = decode(line, 0)
    if not isinstance(value, dict) or line[end:].strip():
        raise LineError(f"expected one JSON object, got {shortened(line)}")
    fields = cast("dict[str, Any]", value)
    args = fields.get("args", [])
    if not isinstance(args, list):
        raise LineError(f"args: expected an array, got {shortened(dump(args))}")
    values = tuple(from_json(item) for item in cast("list[object]", args))
    match fields:
        case {"event": str(event), **rest} if rest.keys() <= {"args", "ack", "namespace"}:
            return emission(event, values, rest)
        case {"ack": int(number), **rest} if rest.keys() <= {"args"} and not isinstance(
            number, bool
        ):
            return Answer(number, values)
        case {"command": str(text), **rest} if not rest and text.startswith("/"):
            name, _, words = text[1:].partition(" ")
            return Command(name, words.strip())
        case _:
            raise LineError(
                'expected {"event": …, "args": […], "ack": true, "namespace": …}, {"ack": number,'
                f' "args": […]}} or {{"command": "/…"}}, got {shortened(line)}'
            )


def emission(event: str, args: tuple[Any, ...], rest: dict[str, Any]) -> Emission | Addressed:
    """An event, and where it goes."""
    asked, namespace = rest.get("ack", False), rest.get("namespace")
    if not isinstance(asked, bool):
        raise LineError(f"ack: expected true or false, got {shortened(dump(asked))}")
    found = Emission(event, args, asked)
    if namespace is None:
        return found
    if not isinstance(namespace, str):
        raise LineError(f"namespace: expected a string, got {shortened(dump(namespace))}")
    return Addressed(namespace, found)

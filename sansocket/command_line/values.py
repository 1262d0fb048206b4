"""How a value that travels is written for a person to read: JSON, and `b64:` for what is binary.

What is written has no control characters and nothing else that could move a cursor, turn text
around or hide it, whoever has sent the value (security rule 34). This module knows neither
colours nor lines: it gives fragments, each with the kind of thing that it is.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, cast

Kind = Literal["punctuation", "key", "string", "number", "constant", "binary"]
Fragment = tuple[Kind, str]

BINARY_PREFIX = "b64:"


def fragments(value: object, most_bytes: int | None = None) -> Iterator[Fragment]:
    """The parts of a value as text, in their order.

    Of binary data more than `most_bytes` only the beginning is written, and how many bytes there
    are. What is neither JSON nor binary is written as Python does.
    """
    if value is None or isinstance(value, bool):
        yield "constant", json.dumps(value)
    elif isinstance(value, str):
        yield "string", quoted(value)
    elif isinstance(value, int | float):
        yield "number", repr(value)
    elif isinstance(value, bytes):
        yield "binary", binary(value, most_bytes)
    elif isinstance(value, Mapping):
        yield "punctuation", "{"
        before = ""
        for key, item in cast("Mapping[object, object]", value).items():
            yield "punctuation", before
            yield "key", quoted(str(key))
            yield "punctuation", ": "
            yield from fragments(item, most_bytes)
            before = ", "
        yield "punctuation", "}"
    elif isinstance(value, Sequence):
        yield "punctuation", "["
        for number, item in enumerate(cast("Sequence[object]", value)):
            yield "punctuation", ", " if number else ""
            yield from fragments(item, most_bytes)
        yield "punctuation", "]"
    else:
        yield "string", escaped(repr(value))


def written(value: object) -> str:
    """A value as text, whole."""
    return "".join(text for _, text in fragments(value))


def quoted(text: str) -> str:
    """A string of JSON, in which all that cannot be seen is escaped."""
    return escaped(json.dumps(text, ensure_ascii=False))


def binary(data: bytes, most: int | None = None) -> str:
    """Binary data as base64."""
    if most is None or len(data) <= most:
        return BINARY_PREFIX + base64.b64encode(data).decode()
    beginning = base64.b64encode(data[: most - most % 3]).decode()
    return f"{BINARY_PREFIX}{beginning}… ({len(data)} bytes)"


def escaped(text: str) -> str:
    """The same text with an escape of JSON for every character that is not seen as itself."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else escape(c) for c in text)


def escape(character: str) -> str:
    """The escape of one character; beyond 16 bits there are two."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(
        f"\\u{int.from_bytes(units[at : at + 2], 'big'):04x}" for at in range(0, len(units), 2)
    )

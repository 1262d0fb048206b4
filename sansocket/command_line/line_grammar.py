"""What a line says that somebody has typed: an event to send, or a command.

    event argument argument … [?]
    /command word word …

An event's name is a word, or a string of JSON. An argument is JSON (an object or array may have
blanks in it), a word, which is sent as a string, text in single quotes, in which nothing is
special, `b64:…` for binary data, or `@path` for the bytes of a file (`@"path with blanks"`). A
question mark at the end asks for an acknowledgement. What is to be a string although it looks like
something else stands in double quotes: `"true"`, `"5"`, `"@home"`, `"?"`.

This module does not know who sends anything, nor how a file is read.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from .values import BINARY_PREFIX, quoted, written

ReadFile = Callable[[str], bytes]
"""Gives the bytes of a file; raises OSError."""

BLANKS: Final = " \t"
NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
WORD: Final = re.compile(r"[^ \t]+")
BARE_NAME: Final = re.compile(r"""[^\s"'{\[/?][^\s]*""")
CONSTANTS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
ASK: Final = "?"


class LineError(Exception):
    """A line, or a word, that makes no sense; the text says what was expected and what came."""


@dataclass(frozen=True, slots=True)
class Emission:
    """An event to send."""

    event: str
    args: tuple[Any, ...] = ()
    wants_ack: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command to the client itself."""

    name: str
    rest: str = ""
    """What stands behind the name."""


def parse_line(line: str, read_file: ReadFile) -> Emission | Command | None:
    """Read a line; None for an empty one.

    Raises LineError for a line that makes no sense, and for a file that cannot be read.
    """
    line = line.strip()
    if line.startswith("/"):
        name, _, rest = line[1:].partition(" ")
        return Command(name, rest.strip())
    if not line:
        return None
    reader = Reader(line, read_file)
    event = reader.name()
    args, asked = reader.arguments()
    return Emission(event, args, asked)


def parse_arguments(text: str, read_file: ReadFile) -> tuple[Any, ...]:
    """Read arguments alone, as an acknowledgement has them; raises LineError."""
    args, asked = Reader(text.strip(), read_file).arguments()
    if asked:
        raise LineError(f"an acknowledgement cannot ask for one: {ASK!r} in quotes is a string")
    return args


def parse_word(word: str, read_file: ReadFile) -> Any:
    """Read one argument that a shell has taken its quotes from, so blanks are part of it.

    Raises LineError for what begins as JSON does and is none, and as `parse_line` does.
    """
    if word.startswith(("{", "[", '"')):
        value, end = decode(word, 0)
        if end < len(word):
            raise LineError(f"expected nothing behind the JSON, got {shortened(word[end:])}")
        return value
    return plain(word, read_file)


def write_line(emission: Emission) -> str:
    """The line that says this: `parse_line` reads it back."""
    parts = [write_name(emission.event), *map(write_argument, emission.args)]
    return " ".join([*parts, ASK] if emission.wants_ack else parts)


def write_name(event: str) -> str:
    """The name of an event as a line has it: bare where that reads back as the same."""
    bare = BARE_NAME.fullmatch(event) is not None and event.isprintable()
    return event if bare else quoted(event)


def write_argument(value: Any) -> str:
    """An argument as a line has it. Binary data inside of an object or array does not read back."""
    return written(value)


class Reader:
    """Reads a line from left to right."""

    def __init__(self, line: str, read_file: ReadFile) -> None:
        self._line = line
        self._read_file = read_file
        self._at = 0

    def name(self) -> str:
        """The name of an event."""
        if self._line.startswith(('"', "'")):
            name: str = self._quoted()
            return name
        word = self._word()
        if word == ASK or word.startswith(("{", "[")):
            raise LineError(f"expected the name of an event first, got {shortened(word)}")
        return word

    def arguments(self) -> tuple[tuple[Any, ...], bool]:
        """All that is left: the arguments, and whether an acknowledgement is asked for."""
        found: list[Any] = []
        while self._skip_blanks():
            if self._line[self._at :] == ASK:
                return tuple(found), True
            found.append(self._argument())
        return tuple(found), False

    def _skip_blanks(self) -> bool:
        """Whether there is more."""
        while self._at < len(self._line) and self._line[self._at] in BLANKS:
            self._at += 1
        return self._at < len(self._line)

    def _argument(self) -> Any:
        first = self._line[self._at]
        if first in "\"'{[":
            return self._quoted()
        if first == "@" and self._line[self._at + 1 : self._at + 2] in ('"', "'"):
            self._at += 1
            path: str = self._quoted()
            return contents(path, self._read_file)
        return plain(self._word(), self._read_file)

    def _quoted(self) -> Any:
        """JSON, or text in single quotes; then the line ends, or a blank comes."""
        start = self._at
        if self._line[start] == "'":
            end = self._line.find("'", start + 1)
            if end < 0:
                raise self._wrong("a single quote that ends the text", start)
            value: Any = self._line[start + 1 : end]
            self._at = end + 1
        else:
            value, self._at = decode(self._line, start)
        if self._at < len(self._line) and self._line[self._at] not in BLANKS:
            raise self._wrong("a blank between arguments", self._at)
        return value

    def _word(self) -> str:
        found = WORD.match(self._line, self._at)
        assert found is not None
        self._at = found.end()
        return found[0]

    def _wrong(self, expected: str, at: int) -> LineError:
        got = shortened(self._line[at:])
        return LineError(f"column {at + 1}: expected {expected}, got {got}")


def plain(word: str, read_file: ReadFile) -> Any:
    """What a word stands for that is in no quotes."""
    if word in CONSTANTS:
        return CONSTANTS[word]
    if NUMBER.fullmatch(word):
        return decode(word, 0)[0]
    if word.startswith(BINARY_PREFIX):
        try:
            return base64.b64decode(word.removeprefix(BINARY_PREFIX), validate=True)
        except (binascii.Error, ValueError) as error:
            raise LineError(
                f"expected base64 behind {BINARY_PREFIX!r}, got {shortened(word)} ({error})"
            ) from error
    if word.startswith("@") and len(word) > 1:
        return contents(word[1:], read_file)
    return word


def contents(path: str, read_file: ReadFile) -> bytes:
    """The bytes of a file."""
    try:
        return read_file(path)
    except (OSError, ValueError) as error:  # ValueError for a path that no file can have
        reason = getattr(error, "strerror", None) or str(error)
        raise LineError(f"cannot read {shortened(path)}: {reason}") from error


def not_json(name: str) -> NoReturn:
    """NaN and the infinities are no JSON."""
    raise ValueError(f"{name} is no JSON")


def finite(text: str) -> float:
    """Read a number; one that is too large for a double would arrive as null."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large a number")
    return number


DECODER: Final = json.JSONDecoder(parse_constant=not_json, parse_float=finite)


def decode(text: str, start: int) -> tuple[Any, int]:
    """Read JSON that begins there, and where it ends; raises LineError."""
    try:
        value, end = DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        got = shortened(text[error.pos :]) if error.pos < len(text) else "the end"
        why = error.msg[:1].lower() + error.msg[1:].removesuffix(" starting at")
        raise LineError(f"column {error.pos + 1}: expected JSON ({why}), got {got}") from error
    except (ValueError, RecursionError) as error:
        raise LineError(f"column {start + 1}: expected JSON: {error}") from error
    return value, end


def shortened(text: str) -> str:
    """The beginning of a text, for a message."""
    return repr(text if len(text) <= 40 else text[:39] + "…")

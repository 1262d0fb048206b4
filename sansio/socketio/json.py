"""JSON as Socket.IO speaks it: strict both ways, with binary collected while writing.

This module knows values and text. It does not know packets, namespaces or frames.

orjson does the work. Behind it stands the standard library, for the two things that
JavaScript has and orjson refuses: lone surrogates, and integers beyond 64 bits. Whatever
either of them raises ends here as one of our two errors (security rules T2 and T19).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from sys import float_info
from typing import Any, Final, NoReturn, TypeAlias, cast

from orjson import dumps as write
from orjson import loads as read

from ..errors import LocalProtocolError, RemoteProtocolError

Value: TypeAlias = "dict[str, Value] | list[Value] | str | bytes | float | None"
"""What JSON can say, and the bytes that it cannot. (An int is a float, and a bool an int.)"""

MAX_DEPTH: Final = 128
"""How many lists and objects may stand within one another, both ways (security rule T2)."""

# As tuples: `isinstance` with a union takes 0.15 us more, to make the union.
BINARY: Final = (bytes, bytearray, memoryview)
_LISTS: Final = (list, tuple)

PLACEHOLDER: Final = "_placeholder"

# What both writers below put for one attachment. A quotation mark inside a string is
# escaped, so this text is nothing but an object's key and its value.
_PLACEHOLDER_TEXT: Final = '"_placeholder":true'


class Attachments(list[bytes]):
    """What is binary in a value, collected while the value is written.

    It is itself the function that orjson calls for what it cannot write: that spares every
    packet a closure, and 0.06 us of some 0.55.
    """

    __slots__ = ()

    def __call__(self, thing: Any) -> object:
        """Keep a copy of `thing`, and return the placeholder that stands in its stead."""
        if issubclass(type(thing), BINARY):
            self.append(bytes(thing))
            return {PLACEHOLDER: True, "num": len(self) - 1}
        raise TypeError(f"{type(thing).__name__} has no form in JSON")


def dumps(value: object, attachments: Attachments) -> str:
    """Write `value` as JSON text, and put a copy of what is binary in it into `attachments`.

    `attachments` is empty when passed; each bytes, bytearray and memoryview is appended to
    it and stands in the text as a placeholder (protocol rule 49). NaN and the infinities
    are written as null, -0.0 as 0, a lone surrogate as its escape (rule 54). Besides the
    values of JSON, tuples and what orjson knows by itself (datetime, UUID, Enum,
    dataclass) are written.

    Raises LocalProtocolError for everything else, for keys that are not strings, for more
    than MAX_DEPTH levels, and for an object of the application's that the peer would take
    for a placeholder.
    """
    try:
        text = write(value, attachments).decode()
    except TypeError:
        text = None
    # The search takes 0.02 us on str, and 0.15 us on bytes. It may find the characters in
    # "x-0.0" or -0.05: the slow writer is right for every value.
    if text is None or "-0.0" in text:
        attachments.clear()
        text = _dumps_slowly(value, attachments)
    elif len(text) > SHORT and _may_be_deep(text) and deeper_than(read(text), MAX_DEPTH):
        raise LocalProtocolError(f"data nested deeper than {MAX_DEPTH} levels")
    if attachments and text.count(_PLACEHOLDER_TEXT) != len(attachments):
        raise LocalProtocolError("an object of the data looks like a placeholder for binary data")
    return text


def loads(text: str) -> Any:
    """Read JSON text strictly.

    An integer beyond 64 bits becomes a float, as in JavaScript; of a repeated key the last
    one holds.

    Raises RemoteProtocolError for whatever is not JSON (NaN, a byte order mark and control
    characters included), for a number that no double can hold, and for more than MAX_DEPTH
    levels (security rules T2, 3 and T19).
    """
    try:
        value = read(text)
    except ValueError as error:
        # A lone surrogate is the only thing that orjson refuses and JSON.parse reads.
        if "\\ud" not in text and "\\uD" not in text:
            raise RemoteProtocolError(f"invalid JSON: {error}") from error
        value = _loads_slowly(text)
    if len(text) > SHORT and _may_be_deep(text) and deeper_than(value, MAX_DEPTH):
        raise RemoteProtocolError(f"JSON nested deeper than {MAX_DEPTH} levels")
    return value


def deeper_than(value: Value, limit: int) -> bool:
    """Say whether lists and dictionaries stand more than `limit` levels deep in `value`.

    Goes level by level and never recurses.
    """
    level: list[dict[str, Value] | list[Value]] = [[value]]
    for _ in range(limit + 1):
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True


def plain(value: object, leaf: Callable[[object], object], depth: int = MAX_DEPTH) -> Any:
    """Copy `value` with lists, tuples and dictionaries as they are and `leaf` of the rest.

    Raises LocalProtocolError for more than `depth` levels and for keys that are not
    strings, and whatever `leaf` raises.
    """
    kind = type(value)
    if depth == 0 and issubclass(kind, (dict, *_LISTS)):
        raise LocalProtocolError(f"data nested deeper than {MAX_DEPTH} levels")
    if issubclass(kind, _LISTS):
        return [plain(item, leaf, depth - 1) for item in cast("Iterable[object]", value)]
    if issubclass(kind, dict):
        copy: dict[str, object] = {}
        for key, item in cast("dict[object, object]", value).items():
            if not isinstance(key, str):
                raise LocalProtocolError(f"keys must be strings, not {type(key).__name__}")
            copy[str.__str__(key)] = plain(item, leaf, depth - 1)
        return copy
    return leaf(value)


# Text of this length has no room for more than MAX_DEPTH levels of brackets.
SHORT: Final = 2 * MAX_DEPTH


def _may_be_deep(text: str) -> bool:
    """Say whether `text` has brackets enough for more than MAX_DEPTH levels."""
    return text.count("[") + text.count("{") > MAX_DEPTH


def _dumps_slowly(value: object, attachments: Attachments) -> str:
    """Write what orjson refuses although JavaScript has it, and -0.0 (protocol rule 54)."""

    def leaf(thing: Any) -> object:
        if thing is None or isinstance(thing, str | bool):
            return thing
        if isinstance(thing, int):
            if abs(thing) > float_info.max:
                raise TypeError("an integer beyond every double has no form in JSON")
            return thing
        if isinstance(thing, float):
            return (thing or 0) if math.isfinite(thing) else None
        if issubclass(type(thing), BINARY):
            return attachments(thing)
        # What only orjson knows how to write, by itself; it may hold a -0.0 again.
        return plain(read(write(thing, attachments)), leaf)

    try:
        copy = plain(value, leaf)
        if deeper_than(copy, MAX_DEPTH):  # by a placeholder, or by what orjson wrote
            raise LocalProtocolError(f"data nested deeper than {MAX_DEPTH} levels")
        text = json.dumps(copy, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise LocalProtocolError(f"data that JSON cannot carry: {error}") from error
    # Only lone surrogates have no UTF-8, and their "backslash replacement" is JSON's escape.
    return text.encode("utf-8", "backslashreplace").decode()


def _loads_slowly(text: str) -> Any:
    """Read text with the escape of a lone surrogate, otherwise exactly as orjson reads."""
    try:
        text.encode()  # what is not escaped must be no surrogate
        return json.loads(text, parse_constant=_constant, parse_float=_float, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise RemoteProtocolError(f"invalid JSON: {error}") from error


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("a number beyond every double")
    return number


def _integer(digits: str) -> int | float:
    # Never int() of a length that the peer chooses: 64 bits are 20 characters at most.
    if len(digits) <= 20:
        number = int(digits)
        if -(2**63) <= number < 2**64:
            return number
    return _float(digits)

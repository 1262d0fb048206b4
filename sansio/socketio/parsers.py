"""The wire formats, by the names that an application says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .msgpack import MsgpackParser
from .parser import JsonParser, Parser

PARSERS: Final[dict[str, Callable[[], Parser]]] = {"json": JsonParser, "msgpack": MsgpackParser}


def chosen_parser(parser: str | Parser) -> Parser:
    """The parser of that name, or the object itself; raises ValueError for another name."""
    if not isinstance(parser, str):
        return parser
    if parser not in PARSERS:
        raise ValueError(f"parser: expected one of {sorted(PARSERS)}, got {parser!r}")
    return PARSERS[parser]()

"""The wire formats by their names."""

from __future__ import annotations

import pytest

from sansocket.sansio.socketio.msgpack import MsgpackParser
from sansocket.sansio.socketio.parser import JsonParser
from sansocket.sansio.socketio.parsers import chosen_parser


def test_names_and_objects() -> None:
    assert isinstance(chosen_parser("json"), JsonParser)
    assert isinstance(chosen_parser("msgpack"), MsgpackParser)
    own = JsonParser()
    assert chosen_parser(own) is own


def test_another_name() -> None:
    with pytest.raises(ValueError, match=r"json.*msgpack.*'yaml'"):
        chosen_parser("yaml")

"""The options of a client: their defaults, and what makes no sense."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from sansocket.sansio.socketio.client.config import ClientConfig, ClientOptions


def test_defaults() -> None:
    """Rows 155 to 160 of the features, in seconds."""
    config = ClientConfig()
    assert config.reconnection
    assert config.reconnection_attempts is None
    assert (config.reconnection_delay, config.reconnection_delay_max) == (1.0, 5.0)
    assert config.randomization_factor == 0.5
    assert config.timeout == 20.0
    assert (config.retries, config.ack_timeout) == (0, None)
    assert config.path == "/socket.io/"


def test_the_keyword_arguments_are_the_fields() -> None:
    """What a type checker knows is what there is, all optional."""
    assert ClientOptions.__optional_keys__ == {field.name for field in fields(ClientConfig)}
    assert not ClientOptions.__required_keys__


def test_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        ClientConfig().timeout = 1.0  # type: ignore[misc]  # that is what is tested


@pytest.mark.parametrize(
    "options",
    [
        {"randomization_factor": 0},
        {"randomization_factor": 1},
        {"reconnection_attempts": 1},
        {"retries": 3, "ack_timeout": 1},
        {"ack_timeout": 0.5},
        {"reconnection_delay": 7, "reconnection_delay_max": 7.5},
        {"transports": ("websocket",), "query": {"a": "b"}},
    ],
)
def test_values_that_make_sense(options: dict[str, Any]) -> None:
    config = ClientConfig(**options)
    for name in options.keys() - {"query"}:
        assert getattr(config, name) == options[name]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"timeout": 0}, ValueError),
        ({"timeout": "20"}, TypeError),
        ({"timeout": None}, TypeError),
        ({"reconnection": 1}, TypeError),
        ({"reconnection_attempts": 0}, ValueError),
        ({"reconnection_attempts": 1.5}, TypeError),
        ({"reconnection_attempts": True}, TypeError),
        ({"reconnection_delay": -1}, ValueError),
        ({"reconnection_delay": 6.0}, ValueError),
        ({"randomization_factor": 1.1}, ValueError),
        ({"randomization_factor": False}, TypeError),
        ({"randomization_factor": float("nan")}, ValueError),
        ({"retries": 1}, ValueError),
        ({"retries": -1, "ack_timeout": 1}, ValueError),
        ({"ack_timeout": 0}, ValueError),
        ({"max_send_buffer": 0}, ValueError),
        ({"max_receive_buffer": 1.5}, TypeError),
        ({"max_receive_buffer_bytes": 0}, ValueError),
        ({"transports": ("carrier pigeon",)}, ValueError),
        ({"timeouts": 1}, TypeError),
    ],
    ids=str,
)
def test_values_that_make_no_sense(options: dict[str, Any], error: type[Exception]) -> None:
    """They are told when the options are made, by their names."""
    with pytest.raises(error, match=next(iter(options))):
        ClientConfig(**options)

"""The servers of these tests keep their ports."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from clients.programs import SERVERS, program


@pytest.mark.parametrize("name", SERVERS)
def test_a_port_stays_its_server_s_while_it_is_down(name: str, tmp_path: Path) -> None:
    """Nobody is given it, and who connects is refused; then the server has it again."""
    server = program(name, tmp_path / "stderr")
    try:
        server.stop()
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", server.port))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port))
        server.restart()
        socket.create_connection(("127.0.0.1", server.port)).close()
    finally:
        server.close()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", server.port))

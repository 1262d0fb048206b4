"""Servers on Trio that several tests use."""

from __future__ import annotations

from typing import Unpack

from sansocket.sansio.config import ServerOptions
from sansocket.trio_backend import Server
from support.servers import MANY as MANY
from support.servers import PIECE as PIECE
from support.servers import complaints as complaints
from support.servers import disconnect_reasons as disconnect_reasons
from support.servers import echoing


def echo_server(**options: Unpack[ServerOptions]) -> Server:
    """A server that sends every `echo` back, and floods those who ask for it."""
    return echoing(Server(**options))

"""What both backends offer an application beside their servers: the same names everywhere.

A program moves from one loop to another by changing its import. A backend takes all of it
(`from sansocket.sansio.public import *`), and adds what is its own.
"""

from __future__ import annotations

from .bound import Bound
from .config import Cookie, PerMessageDeflate
from .engineio.app import EngineSocket
from .engineio.handshake import ConnectionFailure
from .engineio.static import StaticFile
from .errors import (
    AckTimeout,
    ConnectionRefused,
    Disconnected,
    EventRefused,
    LocalProtocolError,
    NotSent,
    Reason,
    RemoteProtocolError,
    RequestRejected,
    TransportError,
)
from .request import Request
from .socketio.acks import Ack
from .socketio.adapter import Adapter
from .socketio.broadcast import Broadcast
from .socketio.client.events import Event
from .socketio.client.namespace_class import ClientNamespaceClass
from .socketio.client.socket import ClientSocket
from .socketio.engine_session import EngineSession
from .socketio.event_methods import event
from .socketio.handshake import Handshake
from .socketio.namespace import Namespace
from .socketio.namespace_class import NamespaceClass
from .socketio.parent_namespace import ParentNamespace
from .socketio.parser import JsonParser, Parser
from .socketio.socket import Socket

__all__ = [
    "Ack",
    "AckTimeout",
    "Adapter",
    "Bound",
    "Broadcast",
    "ClientNamespaceClass",
    "ClientSocket",
    "ConnectionFailure",
    "ConnectionRefused",
    "Cookie",
    "Disconnected",
    "EngineSession",
    "EngineSocket",
    "Event",
    "EventRefused",
    "Handshake",
    "JsonParser",
    "LocalProtocolError",
    "Namespace",
    "NamespaceClass",
    "NotSent",
    "ParentNamespace",
    "Parser",
    "PerMessageDeflate",
    "Reason",
    "RemoteProtocolError",
    "Request",
    "RequestRejected",
    "Socket",
    "StaticFile",
    "TransportError",
    "event",
]

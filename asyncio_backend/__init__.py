"""Socket.IO on asyncio."""

from sansocket.sansio.bound import Bound as Bound
from sansocket.sansio.config import Cookie as Cookie
from sansocket.sansio.engineio.app import EngineSocket as EngineSocket
from sansocket.sansio.engineio.static import StaticFile as StaticFile
from sansocket.sansio.errors import AckTimeout as AckTimeout
from sansocket.sansio.errors import ConnectionRefused as ConnectionRefused
from sansocket.sansio.errors import Disconnected as Disconnected
from sansocket.sansio.errors import LocalProtocolError as LocalProtocolError
from sansocket.sansio.errors import Reason as Reason
from sansocket.sansio.errors import RemoteProtocolError as RemoteProtocolError
from sansocket.sansio.socketio.acks import Ack as Ack
from sansocket.sansio.socketio.broadcast import Broadcast as Broadcast
from sansocket.sansio.socketio.handshake import Handshake as Handshake
from sansocket.sansio.socketio.namespace import Namespace as Namespace
from sansocket.sansio.socketio.parser import Parser as Parser
from sansocket.sansio.socketio.socket import Socket as Socket

from .server import EngineServer as EngineServer
from .server import Server as Server

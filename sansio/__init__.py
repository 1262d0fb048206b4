"""The protocol: Engine.IO 4 and Socket.IO 5, without a socket, a clock or a loop."""

from . import engineio as engineio
from . import socketio as socketio
from .errors import AckTimeout as AckTimeout
from .errors import ConnectionRefused as ConnectionRefused
from .errors import Disconnected as Disconnected
from .errors import EventRefused as EventRefused
from .errors import LocalProtocolError as LocalProtocolError
from .errors import NotSent as NotSent
from .errors import ProtocolError as ProtocolError
from .errors import Reason as Reason
from .errors import RemoteProtocolError as RemoteProtocolError
from .errors import RequestRejected as RequestRejected
from .errors import TransportError as TransportError

"""Engine.IO, revision 4: packets, sessions, transports. It knows nothing of Socket.IO."""

from .packet import Packet as Packet
from .packet import Type as Type
from .packet import decode_packet as decode_packet
from .packet import decode_payload as decode_payload
from .packet import encode_packet as encode_packet
from .packet import encode_payload as encode_payload

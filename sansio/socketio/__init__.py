"""Socket.IO, revision 5: packets, parsers, namespaces, rooms, acknowledgements."""

from .json_decoder import JsonDecoder as Decoder
from .msgpack import MsgpackParser as MsgpackParser
from .packet import Packet as Packet
from .packet import Type as Type
from .parser import JsonParser as JsonParser
from .parser import Parser as Parser
from .parser import encode as encode

__all__ = ["Decoder", "JsonParser", "MsgpackParser", "Packet", "Parser", "Type", "encode"]

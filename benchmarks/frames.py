"""What a client writes and reads: WebSocket frames and the requests that come before them.

Bytes in, bytes out: no socket, no clock. It is made for speed of the load, not for strangers: it
believes what the server sends.
"""

from __future__ import annotations

from typing import Final

TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8

MASK: Final = b"\x37\xfa\x21\x3d"

HANDSHAKE: Final = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
    b"Host: 127.0.0.1\r\n"
    b"Upgrade: websocket\r\n"
    b"Connection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\n\r\n"
)
POLLING: Final = (
    b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n"
)


def frame(opcode: int, payload: bytes) -> bytes:
    """Return one masked frame, as a client sends it."""
    size = len(payload)
    if size < 126:
        head = bytes([0x80 | opcode, 0x80 | size])
    elif size < 65_536:
        head = bytes([0x80 | opcode, 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | opcode, 0x80 | 127]) + size.to_bytes(8, "big")
    key = (MASK * (size // 4 + 1))[:size]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
    return head + MASK + masked


def text(packet: str) -> bytes:
    """Return the frame of a packet of text."""
    return frame(TEXT, packet.encode())


def take_frame(buffer: bytearray) -> bytes | None:
    """Take the payload of the first frame off the buffer, unless it is not whole yet."""
    if len(buffer) < 2:
        return None
    size, start = buffer[1] & 0x7F, 2
    if size >= 126:
        start = 4 if size == 126 else 10
        if len(buffer) < start:
            return None
        size = int.from_bytes(buffer[2:start], "big")
    if len(buffer) < start + size:
        return None
    payload = bytes(buffer[start : start + size])
    del buffer[: start + size]
    return payload


def take_head(buffer: bytearray) -> bytes | None:
    """Take the head of an HTTP response off the buffer, unless it is not whole yet."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(buffer[: end + 4])
    del buffer[: end + 4]
    return head


def take_response(buffer: bytearray) -> bytes | None:
    """Take an HTTP response off the buffer, head and body, unless it is not whole yet."""
    end = buffer.find(b"\r\n\r\n") + 4
    if end < 4:
        return None
    head = bytes(buffer[:end]).lower()
    if b"\r\ntransfer-encoding: chunked\r\n" in head:
        last = buffer.find(b"\r\n0\r\n\r\n", end)
        if last < 0:
            return None
        end = last + 7
    else:
        _, found, rest = head.partition(b"\r\ncontent-length:")
        end += int(rest.partition(b"\r\n")[0]) if found else 0
    if len(buffer) < end:
        return None
    response = bytes(buffer[:end])
    del buffer[:end]
    return response


PONG: Final = text("3")
CONNECT: Final = text("40")
BYE: Final = frame(CLOSE, b"\x03\xe8")
PING: Final = b"\x81\x012"  # as the server sends it

"""How the bytes of a fuzzer become the frames of a connection."""

from __future__ import annotations

SEPARATOR = b"\x00\xff"


def split_frames(data: bytes) -> list[str | bytes]:
    """The parts between the separators: text, or after a first byte of 1 binary."""
    return [
        part[1:] if part[:1] == b"\x01" else part.decode(errors="replace")
        for part in data.split(SEPARATOR)
    ]

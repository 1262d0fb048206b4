"""Compressed frames never raise, inflate to the limit at most, and are the same in any pieces."""

from __future__ import annotations

from sansocket.sansio.engineio.permessage_deflate import negotiate
from sansocket.sansio.engineio.websocket import WebSocket

LIMIT = 1000

Outcome = tuple[list[str | bytes], int | None, int | None]


def one_input(data: bytes) -> None:
    """Receive the bytes both ways, and read them as an offer."""
    assert outcome([data]) == outcome([data[i : i + 1] for i in range(len(data))])
    negotiate([(b"sec-websocket-extensions", data)])


def outcome(chunks: list[bytes]) -> Outcome:
    """The messages, the code of the failure, and the code of the peer's close."""
    websocket = WebSocket(max_message=LIMIT, inflates=True)
    messages: list[str | bytes] = []
    for chunk in chunks:
        messages += websocket.receive_data(chunk)
        websocket.data_to_send()
    for message in messages:
        assert len(message) <= LIMIT
    failure = websocket.failure
    return messages, None if failure is None else failure.close_code, websocket.peer_close

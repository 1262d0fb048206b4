"""A WebSocket never raises, and gives the same for its bytes in one chunk and one by one."""

from __future__ import annotations

from sansocket.sansio.engineio.websocket import WebSocket

Outcome = tuple[list[str | bytes], int | None, int | None]


def one_input(data: bytes) -> None:
    """Receive the bytes both ways."""
    assert outcome([data]) == outcome([data[i : i + 1] for i in range(len(data))])


def outcome(chunks: list[bytes]) -> Outcome:
    """The messages, the code of the failure, and the code of the peer's close."""
    websocket = WebSocket(max_message=1000)
    messages: list[str | bytes] = []
    for chunk in chunks:
        messages += websocket.receive_data(chunk)
        websocket.data_to_send()
    failure = websocket.failure
    return messages, None if failure is None else failure.close_code, websocket.peer_close

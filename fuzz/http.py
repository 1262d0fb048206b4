"""HTTP gives the same requests or the same error for its bytes in one chunk and one by one."""

from __future__ import annotations

from sansocket.sansio.engineio.http import HttpConnection, Request, Response
from sansocket.sansio.errors import RemoteProtocolError

MAX_INPUT = 60_000  # under what may be kept while a request waits for its answer


def one_input(data: bytes) -> None:
    """Receive the bytes both ways."""
    data = data[:MAX_INPUT]
    assert outcome([data]) == outcome([data[i : i + 1] for i in range(len(data))])


def outcome(chunks: list[bytes]) -> tuple[list[Request], int | None]:
    """The requests, each answered at once, and the status of the error."""
    connection = HttpConnection(max_body=1000, max_head=2000)
    requests: list[Request] = []
    for chunk in chunks:
        try:
            connection.receive_data(chunk)
            while (request := connection.next_request()) is not None:
                requests.append(request)
                connection.respond(Response(200, (), b"ok"))
        except RemoteProtocolError as error:
            return requests, error.status
    return requests, None

"""The message seam: sessions on a WebSocket that somebody else frames."""

from __future__ import annotations

import pytest
from support.engineio import Serve, only_socket, record
from support.transcript import Driver

from sansocket.sansio.engineio.http import Request
from sansocket.sansio.engineio.session import Peer
from sansocket.sansio.engineio.websocket_transport import WebSocketTransport
from sansocket.sansio.errors import RemoteProtocolError


class Seam:
    """A WebSocket that somebody else frames."""

    def __init__(
        self, driver: Driver, query: dict[str, str], upgrade: bytes = b"websocket"
    ) -> None:
        self.woken = 0
        request = Request("GET", "/socket.io/", query, ((b"upgrade", upgrade),))
        self.transport: WebSocketTransport = driver.core.engine.open_websocket(
            request, self._wake, driver.now, Peer("192.0.2.1")
        )

    def _wake(self) -> None:
        self.woken += 1

    def take(self) -> list[str | bytes]:
        """What is to be sent."""
        return [message for encoded in self.transport.outgoing() for message in encoded.messages]


NEW = {"EIO": "4", "transport": "websocket"}


def test_message_seam(serve: Serve) -> None:
    """A session on somebody else's WebSocket is like any other."""
    app, driver = serve()
    events = record(app)
    seam = Seam(driver, NEW)
    assert seam.woken
    (opening,) = seam.take()
    assert isinstance(opening, str)
    assert opening.startswith('0{"sid":')
    seam.transport.receive("4hello", 1.0)
    seam.transport.receive(b"\x01", 1.0)
    only_socket(app).send(b"\x02")
    only_socket(app).send("bye")
    assert seam.take() == [b"\x02", "4bye"]
    assert seam.transport.close_code is None
    only_socket(app).close()
    assert seam.transport.close_code == 1000
    driver.settle()
    messages = [("message", "hello"), ("message", b"\x01")]
    assert events == [("connection",), *messages, ("close", "forced close")]


@pytest.mark.parametrize(
    ("fit", "large"),
    [("4" + "x" * 9, "4" + "x" * 10), ("4€€€", "4€€€x"), ("4€€€", "4€€x€"), (bytes(10), bytes(11))],
)
def test_bound_of_the_message_seam(serve: Serve, fit: str | bytes, large: str | bytes) -> None:
    """Security rule T4: bytes, counted here where the framing does not."""
    app, driver = serve(max_payload=10)
    events = record(app)
    seam = Seam(driver, NEW)
    seam.transport.receive_bounded(fit, 1.0)
    seam.transport.receive_bounded(large, 1.0)
    seam.transport.receive_bounded(fit, 1.0)
    driver.settle()
    assert [name for name, *_ in events] == ["connection", "message", "close"]
    assert events[-1] == ("close", "transport error")
    assert seam.transport.close_code == 1009


def test_message_seam_refuses(serve: Serve) -> None:
    """Protocol rule 4: with the status for whoever answers the request."""
    app, driver = serve()
    wrong = {"EIO": "3"}, {"sid": "nobody"}, {"transport": "polling"}
    for fields in wrong:
        with pytest.raises(RemoteProtocolError) as caught:
            Seam(driver, NEW | fields)
        assert caught.value.status == 400
    assert not app.engine.sessions


def test_message_seam_upgrades(serve: Serve) -> None:
    """Protocol rules 33 and 37: also with a WebSocket that is lost before it has probed."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    lost = Seam(driver, NEW | {"sid": sid})
    lost.transport.lost()
    lost.transport.lost()
    seam = Seam(driver, NEW | {"sid": sid})
    seam.transport.receive_bounded("2probe", 1.0)
    assert seam.take() == ["3probe"]
    seam.transport.receive_bounded("5", 1.0)
    assert only_socket(app).transport == "websocket"
    seam.transport.lost()
    driver.settle()
    assert events == [("connection",), ("close", "transport close")]


def test_congestion_of_the_message_seam(serve: Serve) -> None:
    """Security rule T6: the same bounds, and a call when they may hold no more."""
    app, driver = serve(pause_backlog=1)
    seam = Seam(driver, NEW)
    calls: list[bool] = []
    assert not seam.transport.congested
    only_socket(app).send("hello")
    assert seam.transport.congested
    seam.transport.when_relieved(lambda: calls.append(True))
    assert not calls
    seam.take()
    assert calls
    assert not seam.transport.congested
    seam.transport.lost()
    seam.transport.when_relieved(lambda: calls.append(True))
    assert len(calls) == 1

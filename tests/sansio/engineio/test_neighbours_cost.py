"""What it costs to be one of several workers: calls are counted, not time."""

from __future__ import annotations

from support.calls import calls
from support.engineio import post_bytes, text
from support.neighbours import worker
from support.transcript import Driver, engineio

from sansocket.sansio.engineio.app import EngineApp, EngineSocket


def test_messages_over_a_websocket_cost_the_same() -> None:
    """A WebSocket stays where it is: nothing is looked up for what comes and goes over it."""

    def cost(app: EngineApp, driver: Driver) -> int:
        @app.on("message")
        def echo(socket: EngineSocket, data: str) -> None:
            socket.send(data)

        pipe = driver.websocket().pipe

        def exchange() -> None:
            for _ in range(100):
                pipe.wire.receive_data(text("4hello"), driver.now)
                app.deliver()

        exchange()
        pipe.take()
        counted = calls(exchange)
        assert pipe.take().count(b"4hello") == 100
        return counted

    assert cost(*worker("1")) == cost(*engineio())


def test_requests_of_its_own_cost_little_more() -> None:
    """One look at the id of a request; alone, not even that."""

    def cost(app: EngineApp, driver: Driver) -> int:
        request = post_bytes(driver.poll_handshake(), "4hello")
        pipe = driver.connect()

        def exchange() -> None:
            for _ in range(100):
                pipe.wire.receive_data(request, driver.now)
                app.deliver()

        exchange()
        return calls(exchange) // 100

    alone, among = cost(*engineio()), cost(*worker("1"))
    assert among - alone <= 8
    assert among <= 1.1 * alone

"""The ends of a session, held against what is put there: a checker of types reads this too."""

from __future__ import annotations

from support.engineio import Serve, only_socket
from support.transcript import socketio

from sansocket.sansio.engineio.ends import Carrier, Prober, Receiver
from sansocket.sansio.engineio.peer import Peer
from sansocket.sansio.engineio.polling_transport import PollingTransport
from sansocket.sansio.engineio.websocket_transport import WebSocketTransport


def test_both_transports_carry(serve: Serve) -> None:
    """And a WebSocket probes. What is not anybody's yet has nothing to end."""
    app, _ = serve()
    websocket = WebSocketTransport(app.engine, lambda: None, Peer())
    carriers: list[Carrier] = [PollingTransport(app.engine, lambda: None, Peer()), websocket]
    for carrier in carriers:
        carrier.ready()
        carrier.finish(1000)
    prober: Prober = websocket
    prober.withdraw()
    assert websocket.close_code == 1000


def test_both_servers_receive(serve: Serve) -> None:
    """What is on a session is told of messages, and once of the end."""
    app, driver = serve()
    driver.poll_handshake()
    receivers: list[Receiver] = [only_socket(app)]
    other, its_driver = socketio()
    its_driver.poll_handshake()
    receivers += [session.receiver for session in other.engine.sessions.values()]
    assert len(receivers) == 2
    receivers[0].message("x", driver.now)
    driver.settle()

"""Socket.IO 5 as its published conformance suite wants it, against tests/servers/conformance.py.

What it says of Engine.IO is in test_engineio_conformance.py.
"""

from __future__ import annotations

import json

import pytest
from interop.peers import WebSocket

pytestmark = pytest.mark.parametrize("shape", ["socket"], indirect=True)

TWO = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
ATTACHMENTS = [b"\1\2\3", b"\4\5\6"]


@pytest.fixture
def connected(websocket: WebSocket) -> WebSocket:
    """A client in the main namespace, after the `auth` event."""
    join(websocket, "40")
    return websocket


def join(websocket: WebSocket, packet: str) -> str:
    """Connect to a namespace; return the `auth` event that follows."""
    websocket.send(packet)
    answer = websocket.receive_after_pings()
    assert isinstance(answer, str)
    assert answer.startswith(packet.partition("{")[0])
    handshake = json.loads(answer[answer.index("{") :])
    assert handshake.keys() == {"sid"}
    assert isinstance(handshake["sid"], str)
    event = websocket.receive_after_pings()
    assert isinstance(event, str)
    return event


# Connect


@pytest.mark.parametrize("namespace", ["", "/custom,"])
@pytest.mark.parametrize("auth", ["", '{"token":"123"}'], ids=["no auth", "auth"])
def test_connect(websocket: WebSocket, namespace: str, auth: str) -> None:
    """Rules 57 and 58: a session in either namespace; no auth counts as an empty one."""
    event = join(websocket, f"40{namespace}{auth}")
    assert event == f'42{namespace}["auth",{auth or "{}"}]'


def test_unknown_namespace(websocket: WebSocket) -> None:
    """Rules 41 and 59: refused, with or without the comma at the end."""
    websocket.send("40/random", "40/random,")
    for _ in range(2):
        assert websocket.receive() == '44/random,{"message":"Invalid namespace"}'


def test_invalid_packet_instead_of_connect(websocket: WebSocket) -> None:
    """Security rule T22: the connection closes."""
    websocket.send("4abc")
    assert websocket.receive() is None


def test_no_connect_at_all(websocket: WebSocket) -> None:
    """Security rule T22: who joins nothing is closed, however well it keeps the heartbeat."""
    assert websocket.receive_after_pings() is None


# Disconnect


def test_disconnect(connected: WebSocket) -> None:
    """Rule 67: no answer, and the connection goes on."""
    connected.send("41")
    assert connected.receive() == "2"


def test_disconnect_from_one_namespace(connected: WebSocket) -> None:
    """Rule 67: the other namespace stays."""
    join(connected, "40/custom,")
    connected.send("41/custom,", '42["message","to the main namespace"]')
    assert connected.receive_after_pings() == '42["message-back","to the main namespace"]'


# Messages


def test_text(connected: WebSocket) -> None:
    """An event with arguments, and one back."""
    connected.send('42["message",1,"2",{"3":[true]}]')
    assert connected.receive_after_pings() == '42["message-back",1,"2",{"3":[true]}]'


def test_binary(connected: WebSocket) -> None:
    """Rule 49: a header, and its attachments in their order."""
    connected.send(f'452-["message",{TWO}]', *ATTACHMENTS)
    packets = [connected.receive_after_pings() for _ in range(3)]
    assert packets == [f'452-["message-back",{TWO}]', *ATTACHMENTS]


def test_text_with_acknowledgement(connected: WebSocket) -> None:
    """Rule 46: the acknowledgement has the number of the event."""
    connected.send('42456["message-with-ack",1,"2",{"3":[false]}]')
    assert connected.receive_after_pings() == '43456[1,"2",{"3":[false]}]'


def test_binary_with_acknowledgement(connected: WebSocket) -> None:
    """Rules 46 and 49 together."""
    connected.send(f'452-789["message-with-ack",{TWO}]', *ATTACHMENTS)
    packets = [connected.receive_after_pings() for _ in range(3)]
    assert packets == [f"462-789[{TWO}]", *ATTACHMENTS]


@pytest.mark.parametrize(
    "packet",
    ["4abc", "42{}", '42abc["message-with-ack",1,"2",{"3":[false]}]'],
    ids=["unknown type", "payload that is no list", "number that is none"],
)
def test_invalid_packet(connected: WebSocket, packet: str) -> None:
    """Rule 44: the connection closes."""
    connected.send(packet)
    assert connected.receive_after_pings() is None

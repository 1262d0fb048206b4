"""Engine.IO 4 as its published conformance suite wants it, against tests/servers/conformance.py.

What both protocols ask for runs against the server of either shape. A ping comes each 300 ms,
and must be answered within 200 ms.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from interop.peers import Address, Http, Polling, WebSocket

KEYS = {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}
TIMES = {"pingInterval": 300, "pingTimeout": 200, "maxPayload": 1_000_000}

INVALID_EIO = [{"transport": "polling", "EIO": ""}, {"transport": "polling", "EIO": "abc"}]
INVALID_TRANSPORT = [{"transport": ""}, {"transport": "abc"}]

Connect = Callable[..., WebSocket]

only_engine = pytest.mark.parametrize("shape", ["engine"], indirect=True)


def upgrade(polling: Polling, connect: Connect) -> WebSocket:
    """Carry a session over to a WebSocket, and see it alive there."""
    websocket = connect(sid=polling.handshake["sid"])
    websocket.send("2probe")
    assert websocket.receive() == "3probe"
    websocket.send("5")
    assert_alive(websocket, polling.address)
    return websocket


def assert_alive(websocket: WebSocket, address: Address) -> None:
    """The session answers, in the way of its server's shape."""
    if address.path == "/engine.io/":
        websocket.send("4hello")
        assert websocket.receive_after_pings() == "4hello"
    else:
        websocket.send("40/unknown,")
        refusal = '44/unknown,{"message":"Invalid namespace"}'
        assert websocket.receive_after_pings() == refusal


# Handshake


def test_polling_handshake(polling: Polling) -> None:
    """Rule 17: these keys and no other, with times in milliseconds."""
    assert polling.handshake.keys() == KEYS
    assert isinstance(polling.handshake["sid"], str)
    assert polling.handshake["upgrades"] == ["websocket"]
    assert TIMES.items() <= polling.handshake.items()


@pytest.mark.parametrize("query", INVALID_EIO)
def test_polling_with_invalid_eio(http: Http, query: dict[str, str]) -> None:
    """Rule 2: only revision 4 of the protocol is spoken."""
    answer = http.request("GET", http.address.target(**query))
    assert (answer.status, json.loads(answer.text)["code"]) == (400, 5)


@pytest.mark.parametrize("query", INVALID_TRANSPORT)
def test_polling_with_invalid_transport(http: Http, query: dict[str, str]) -> None:
    """Rule 2: the transport must be named, and known."""
    answer = http.request("GET", http.address.target(**query))
    assert (answer.status, json.loads(answer.text)["code"]) == (400, 0)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_polling_handshake_with_invalid_method(http: Http, method: str) -> None:
    """Rule 2: a session begins with a GET."""
    answer = http.request(method, http.address.target(transport="polling"))
    assert (answer.status, json.loads(answer.text)["code"]) == (400, 2)


def test_websocket_handshake(connect: Connect) -> None:
    """Rule 17: the same keys, and nothing to upgrade to."""
    message = connect().receive()
    assert isinstance(message, str)
    assert message[0] == "0"
    handshake = json.loads(message[1:])
    assert handshake.keys() == KEYS
    assert isinstance(handshake["sid"], str)
    assert handshake["upgrades"] == []
    assert TIMES.items() <= handshake.items()


@pytest.mark.parametrize("query", [{"EIO": ""}, {"EIO": "abc"}, *INVALID_TRANSPORT])
def test_websocket_with_invalid_query(connect: Connect, query: dict[str, str]) -> None:
    """Rule 4: refused, and before the protocol is switched."""
    assert not connect(**query).accepted


# Messages


@only_engine
@pytest.mark.parametrize(
    "payload",
    ["4hello", "4test1\x1e4test2\x1e4test3", "4hello\x1ebAQIDBA=="],
    ids=["one text", "several texts", "text and binary"],
)
def test_polling_messages(polling: Polling, payload: str) -> None:
    """Rules 7, 9 and 10: taken with `ok`, and sent back in one payload."""
    assert polling.post(payload) == (200, "ok")
    assert polling.get() == (200, payload)


def test_polling_with_invalid_packet(polling: Polling) -> None:
    """Rule 13: refused, and the session is gone."""
    assert polling.post("abc").status == 400
    assert polling.get().status == 400


def test_two_polls_at_once(polling: Polling) -> None:
    """Rule 27: the second is refused, the first told of the end, the session gone."""
    first = polling.parked_poll()
    assert polling.get().status == 400
    assert first.answer() == (200, "1")
    assert polling.get().status == 400


def test_cancelled_poll(polling: Polling) -> None:
    """Rule 32: the session ends with the connection of its poll."""
    polling.parked_poll().hang_up()
    answer = polling.get()
    assert (answer.status, json.loads(answer.text)["code"]) == (400, 1)


@only_engine
@pytest.mark.parametrize("message", ["4hello", b"\1\2\3\4"], ids=["text", "binary"])
def test_websocket_message(websocket: WebSocket, message: str | bytes) -> None:
    """Rule 10: binary messages have no type."""
    websocket.send(message)
    assert websocket.receive() == message


def test_websocket_with_invalid_packet(websocket: WebSocket) -> None:
    """Security rule 20: the connection closes."""
    websocket.send("abc")
    assert websocket.receive() is None


# Heartbeat


def test_polling_heartbeat(polling: Polling) -> None:
    """Rule 21: the server pings, the client pongs."""
    for _ in range(3):
        assert polling.get() == (200, "2")
        assert polling.post("3") == (200, "ok")


def test_polling_without_pong(polling: Polling) -> None:
    """Rule 26: the session is gone once the ping has waited too long."""
    assert polling.get() == (200, "2")
    polling.get()  # waits until the session ends, or finds it gone
    assert polling.get().status == 400


def test_websocket_heartbeat(websocket: WebSocket) -> None:
    """Rule 21: the server pings, the client pongs."""
    for _ in range(3):
        assert websocket.receive() == "2"
        websocket.send("3")


def test_websocket_without_pong(websocket: WebSocket) -> None:
    """Rule 26: the connection closes once the ping has waited too long."""
    assert websocket.receive() == "2"
    assert websocket.receive() is None


# Close


def test_polling_close(polling: Polling) -> None:
    """Rule 29: the waiting poll is released, and the session gone."""
    poll = polling.parked_poll()
    assert polling.post("1") == (200, "ok")
    assert poll.answer() == (200, "6")
    assert polling.get().status == 400


def test_websocket_close(websocket: WebSocket) -> None:
    """Rule 30: closed at once, and not by the heartbeat."""
    websocket.send("1")
    assert websocket.receive() is None


# Upgrade


def test_upgrade(polling: Polling, connect: Connect) -> None:
    """Rule 33: a poll during the probe is released, and after it all is on the WebSocket."""
    websocket = connect(sid=polling.handshake["sid"])
    websocket.send("2probe")
    assert websocket.receive() == "3probe"
    assert polling.get() == (200, "6")
    websocket.send("5")
    assert_alive(websocket, polling.address)


def test_poll_after_upgrade(polling: Polling, connect: Connect) -> None:
    """Rule 35: refused, and the session does not suffer."""
    websocket = upgrade(polling, connect)
    assert polling.get().status == 400
    assert_alive(websocket, polling.address)


def test_second_websocket_after_upgrade(polling: Polling, connect: Connect) -> None:
    """Rule 35: closed, and the session does not suffer."""
    websocket = upgrade(polling, connect)
    second = connect(sid=polling.handshake["sid"])
    assert not second.accepted or second.receive() is None
    assert_alive(websocket, polling.address)

"""permessage-deflate on a connection: agreed to, used, shared, and refused where it is a bomb."""

from __future__ import annotations

import pytest
from support.engineio import Serve, only_socket, record
from support.transcript import Driver, websocket_request_bytes
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, TextMessage
from wsproto.extensions import Extension, PerMessageDeflate

from sansocket.sansio.engineio.app import EngineApp, EngineSocket
from sansocket.sansio.engineio.websocket_transport import PULL

LONG = "hello " * 1000
OFFER = "permessage-deflate; client_max_window_bits"
AGREED = b"permessage-deflate; server_no_context_takeover; client_no_context_takeover"


class Client:
    """A WebSocket client of wsproto's that compresses whatever it sends."""

    def __init__(self, driver: Driver, offer: str = OFFER, sid: str = "") -> None:
        self.pipe = driver.connect()
        query = "EIO=4&transport=websocket" + (f"&sid={sid}" if sid else "")
        headers = {"Sec_WebSocket_Extensions": offer} if offer else {}
        self.pipe.send(websocket_request_bytes(query=query, **headers))
        head, _, rest = self.pipe.take().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        marker = b"\r\nSec-WebSocket-Extensions: "
        self.agreed = head.partition(marker)[2].partition(b"\r\n")[0]
        extensions: list[Extension] = []
        if self.agreed:
            extension = PerMessageDeflate()
            extension.finalize(self.agreed.decode())
            extensions.append(extension)
        self._client = Connection(ConnectionType.CLIENT, extensions)
        self.raw = b""
        self._unread = rest
        self.close_code: int | None = None

    def send(self, data: str | bytes) -> int:
        """Send a message; how many bytes it took."""
        event = TextMessage(data) if isinstance(data, str) else BytesMessage(data)
        sent = self._client.send(event)
        self.pipe.send(sent)
        return len(sent)

    def take(self) -> list[str | bytes]:
        """The messages that have come; `raw` are their bytes."""
        self.raw, self._unread = self._unread + self.pipe.take(), b""
        self._client.receive_data(self.raw)
        messages: list[str | bytes] = []
        for event in self._client.events():
            if isinstance(event, CloseConnection):
                self.close_code = int(event.code)
            else:
                assert isinstance(event, TextMessage | BytesMessage)
                messages.append(event.data if isinstance(event, TextMessage) else bytes(event.data))
        return messages


def echo(app: EngineApp) -> None:
    """Send back whatever comes."""
    app.on("message", EngineSocket.send)


def test_off_by_default(serve: Serve) -> None:
    """Security rule 8."""
    _, driver = serve()
    assert Client(driver).agreed == b""


@pytest.mark.parametrize("offer", ["", "permessage-deflate; server_max_window_bits=9", "other"])
def test_not_agreed_to(serve: Serve, offer: str) -> None:
    """A client that cannot, or not so, has its messages plain."""
    app, driver = serve(per_message_deflate=True)
    echo(app)
    client = Client(driver, offer)
    assert client.agreed == b""
    client.take()
    client.send("4" + LONG)
    assert client.take() == ["4" + LONG]
    assert len(client.raw) > len(LONG)


@pytest.mark.parametrize("upgraded", [False, True])
def test_both_ways(serve: Serve, upgraded: bool) -> None:
    """Feature row 10: text and bytes, on a new session and on one that is upgraded."""
    app, driver = serve(per_message_deflate=True)
    echo(app)
    if upgraded:
        client = Client(driver, sid=driver.poll_handshake())
        client.send("2probe")
        client.send("5")
    else:
        client = Client(driver)
    assert client.agreed == AGREED
    client.take()
    for data in (LONG, "small", LONG.encode(), b"small", LONG):
        packet = "4" + data if isinstance(data, str) else data
        if len(data) > 1000:
            assert client.send(packet) < 200
        else:
            client.send(packet)
        assert client.take() == [packet]
        assert len(client.raw) < 200


def test_a_broadcast_is_compressed_once(serve: Serve) -> None:
    """Those who agreed get the same bytes, those who did not get the plain ones."""
    app, driver = serve(per_message_deflate=True)
    clients = [Client(driver), Client(driver), Client(driver, "")]
    for client in clients:
        client.take()
    first, *others = app.sockets.values()
    first.send(LONG)
    for socket in others:
        socket.send(LONG)
    one, two, plain = (client.pipe.take() for client in clients)
    assert one == two
    assert len(one) < 100
    assert len(plain) > len(LONG)


def test_small_messages_and_those_not_to_be_compressed(serve: Serve) -> None:
    """Feature rows 10 and 40."""
    app, driver = serve(per_message_deflate=True)
    client = Client(driver)
    client.take()
    only_socket(app).send("x" * 1022)
    only_socket(app).send(LONG, compress=False)
    only_socket(app).send(LONG.encode(), compress=False)
    driver.settle()
    data = client.pipe.take()
    assert data[0] == 0x81
    assert len(data) > 1022 + 2 * len(LONG)
    only_socket(app).send("x" * 1023)
    driver.settle()
    assert client.pipe.take()[0] == 0xC1


@pytest.mark.parametrize("extra", [0, 1])
def test_the_limit(serve: Serve, extra: int) -> None:
    """Security rules T4 and 8: exactly `max_payload` passes; a bomb is refused with 1009."""
    app, driver = serve(per_message_deflate=True, max_payload=100_000)
    events = record(app)
    client = Client(driver)
    assert client.send(bytes(100_000 + extra)) < 300
    client.take()
    if extra:
        assert client.close_code == 1009
        assert events == [("connection",), ("close", "transport error")]
        assert client.pipe.wire.closing
    else:
        assert events == [("connection",), ("message", bytes(100_000))]


def test_a_bomb_for_a_probe(serve: Serve) -> None:
    """Security rule T24: it ends the new WebSocket, never the old session."""
    app, driver = serve(per_message_deflate=True, max_payload=1_000)
    events = record(app)
    sid = driver.poll_handshake()
    client = Client(driver, sid=sid)
    client.send(bytes(1_001))
    client.take()
    assert client.close_code == 1009
    assert driver.post(sid, "4x").body == "ok"
    assert events == [("connection",), ("message", "x")]


def test_close_with_a_backlog(serve: Serve) -> None:
    """What was sent before the close is compressed as ever, and the close comes last."""
    app, driver = serve(per_message_deflate=True)
    client = Client(driver)
    client.take()
    only_socket(app).send(LONG)
    only_socket(app).close()
    driver.settle()
    assert client.take() == ["4" + LONG]
    assert client.close_code == 1000


def test_less_than_a_whole_pull_is_all_there_is(serve: Serve) -> None:
    """Drivers rely on it; what was short enough to be pulled at once gets shorter still."""
    app, driver = serve(per_message_deflate=True)
    client = Client(driver)
    client.take()
    client.pipe.writable = False
    sent: list[str | bytes] = [f"4{number}{'x' * 100_000}" for number in range(20)]
    for text in sent:
        only_socket(app).send(str(text)[1:])
    assert not client.pipe.take()
    pieces = client.pipe.wire.data_to_send()
    assert sum(map(len, pieces)) < PULL
    assert not client.pipe.wire.data_to_send()
    client.pipe.output += b"".join(pieces)
    assert client.take() == sent

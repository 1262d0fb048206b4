"""A client as an application has it: `connect`, sockets, and its end (rule 90, row 176)."""

from __future__ import annotations

import pytest
from support.fake_engine import Dialer, Rig, record
from support.runtime import counting_entropy

from sansocket.sansio.errors import (
    ConnectionRefused,
    Disconnected,
    LocalProtocolError,
    Reason,
    TransportError,
)
from sansocket.sansio.socketio.client.app import ClientApp
from sansocket.sansio.socketio.client.states import ClientState
from sansocket.sansio.socketio.parser import JsonParser


def test_connect() -> None:
    """It waits until the server has let the socket in."""
    rig = Rig()
    task = rig.task(rig.client.connect("/chat", auth={"token": "x"}))
    assert rig.open() == ['0/chat,{"token":"x"}']
    assert not task.done
    rig.accept("/chat", "sid")
    socket = task.result
    assert socket.id == "sid"
    assert rig.client.sockets == {"/chat": socket}


def test_the_path_of_the_url_names_the_namespace() -> None:
    """As in JavaScript; `namespace` says otherwise."""
    rig = Rig("http://server.example/admin?a=b")
    rig.task(rig.client.connect())
    assert rig.open() == ["0/admin,"]
    rig.task(rig.client.connect("/"))
    assert rig.engine.take() == ["0"]
    assert Rig().client.socket().namespace == "/"


def test_a_refusal_is_raised() -> None:
    """With what the middleware says; the socket and the connection are gone then."""
    rig = Rig()
    task = rig.task(rig.client.connect())
    rig.open()
    rig.receive('4{"message":"no","data":7}')
    with pytest.raises(ConnectionRefused) as raised:
        _ = task.result
    assert (raised.value.message, raised.value.data) == ("no", 7)
    assert rig.client.state is ClientState.CLOSED


def test_the_first_failure_is_raised() -> None:
    """Unlike in JavaScript, which tries for ever; nothing goes on in the background."""
    rig = Rig()
    task = rig.task(rig.client.connect())
    error = rig.fail()
    with pytest.raises(TransportError) as raised:
        _ = task.result
    assert raised.value is error
    assert rig.client.state is ClientState.CLOSED
    assert rig.client.next_deadline() is None


def test_retry() -> None:
    """As in JavaScript, for those who say so."""
    rig = Rig(reconnection_attempts=2)
    task = rig.task(rig.client.connect(retry=True))
    rig.fail()
    rig.advance(1)
    rig.rejoin("at last")
    assert task.result.id == "at last"
    task = rig.task(rig.client.connect("/a", retry=True))
    rig.lose()
    for delay in (1, 2):
        assert not task.done
        rig.advance(delay)
        rig.fail()
    with pytest.raises(TransportError):
        _ = task.result


def test_cancelled() -> None:
    """Nothing stays."""
    rig = Rig()
    rig.task(rig.client.connect()).cancel()
    rig.settle()
    assert rig.client.state is ClientState.CLOSED
    assert not rig.client.members
    assert len(rig.client.timers) == 0


def test_connected_twice() -> None:
    """A namespace has one socket at a time; the first one stays."""
    rig = Rig()
    socket = rig.joined("/a")
    with pytest.raises(LocalProtocolError):
        _ = rig.task(rig.client.connect("/a")).result
    assert socket.connected


@pytest.mark.parametrize("namespace", ["chat", "/a,b", "", "/\ud800", "/\x1e"])
def test_names_of_namespaces(namespace: str) -> None:
    with pytest.raises(ValueError, match="namespace"):
        Rig().client.socket(namespace)


def test_msgpack() -> None:
    rig = Rig(parser="msgpack")
    rig.client.socket().connect()
    [frame] = rig.open()
    assert isinstance(frame, bytes)


@pytest.mark.parametrize(
    ("url", "options", "word"),
    [
        ("ftp://x", {}, "http"),
        ("http://x", {"parser": "yaml"}, "parser"),
        ("http://x", {"timeout": 0}, "timeout"),
    ],
)
def test_what_makes_no_sense(url: str, options: dict[str, object], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        ClientApp(Dialer(), url, entropy=counting_entropy(), **options)  # type: ignore[arg-type]  # that is what is tested


def test_an_object_as_parser_and_the_sessions_that_it_makes() -> None:
    """The attempt is that of an Engine.IO client, over the runtime's connections."""
    client = ClientApp(
        Dialer(), "http://server.example", entropy=counting_entropy(), parser=JsonParser()
    )
    assert (client.engine.session, client.engine.transport) == (None, None)
    assert repr(client) == "<ClientApp server.example closed>"
    client.socket().connect()
    assert client.state is ClientState.OPENING


# The end


def test_aclose() -> None:
    """Every namespace is left, and what was emitted goes out first."""
    rig = Rig()
    told = [record(rig.joined(name), "disconnect") for name in ("/", "/a")]
    rig.engine.lingers = True
    rig.client.sockets["/"].emit("last")
    task = rig.task(rig.client.aclose())
    assert rig.engine.take() == ['2["last"]', "1", "1/a,"]
    assert told == [[("disconnect", "io client disconnect", None)]] * 2
    assert not task.done
    rig.engine.abort(Reason.FORCED_CLOSE)
    rig.settle()
    assert task.result is None
    assert len(rig.client.timers) == 0
    with pytest.raises(LocalProtocolError, match="closed"):
        _ = rig.task(rig.client.connect()).result
    assert rig.task(rig.client.aclose()).done


def test_aclose_with_a_server_that_hangs() -> None:
    """Security rule 36: after the grace the connection is cut."""
    rig = Rig()
    rig.joined()
    rig.engine.lingers = True
    task = rig.task(rig.client.aclose(grace=3.0))
    rig.advance(2.9)
    assert not task.done
    rig.advance(0.1)
    assert task.result is None
    assert not rig.client.links


def test_aclose_cancelled() -> None:
    rig = Rig()
    rig.joined()
    rig.engine.lingers = True
    rig.task(rig.client.aclose()).cancel()
    assert not rig.client.links
    assert len(rig.client.timers) == 0


def test_aclose_after_a_parse_error() -> None:
    """The server of the broken session is told before the client is gone, or nobody has time."""
    for hangs in (False, True):
        rig = Rig()
        rig.joined()
        rig.engine.parts = True
        broken = rig.engine
        rig.receive("9")
        assert broken.ended is not None
        assert broken.ended[0] is Reason.PARSE_ERROR
        task = rig.task(rig.client.aclose(grace=3.0))
        rig.advance(2.0)
        assert not task.done
        if hangs:
            rig.advance(1.0)
        else:
            broken.cut()
            rig.settle()
        assert task.done
        assert not broken.parted
        assert not rig.client.links


def test_a_farewell_does_not_keep_the_next_connection() -> None:
    rig = Rig()
    rig.joined()
    broken = rig.engine
    broken.parts = True
    rig.receive("9")
    rig.advance(1.5)
    assert rig.engine is not broken
    rig.rejoin()
    assert len(rig.client.links) == 2
    broken.cut()
    assert [link.engine for link in rig.client.links] == [rig.engine]


def test_aclose_while_it_reconnects() -> None:
    """Row 176: at once; a task that waits is told."""
    rig = Rig()
    socket = rig.joined()
    rig.lose()
    task = rig.task(socket.call("x"))
    assert rig.task(rig.client.aclose()).result is None
    with pytest.raises(Disconnected):
        _ = task.result
    assert len(rig.client.timers) == 0

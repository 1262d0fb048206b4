"""Options of the engine: ids of the application's own, the first message, the cookie, the count."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from support.engineio import BAD_REQUEST, POLLING, Serve, nothing_is_left, record, taken
from support.transcript import Answer, Pipe, engineio, websocket_request_bytes

from sansocket.sansio.config import Cookie
from sansocket.sansio.engineio.http import Request

NEW_WEBSOCKET = "EIO=4&transport=websocket"


def refused(pipe: Pipe) -> Answer:
    """The answer to a WebSocket that was not accepted."""
    pipe.send(websocket_request_bytes(query=NEW_WEBSOCKET))
    return taken(pipe)


# generate_id


def test_ids_of_the_applications_own(serve: Serve) -> None:
    """Feature row 20: made from the request, for both transports, and known by them."""
    asked: list[Request] = []

    def generate(request: Request) -> str:
        asked.append(request)
        return f"{request.query['name']}-{len(asked)}._~"

    app, driver = serve(generate_id=generate)
    answer = driver.connect().request("GET", query=f"{POLLING}&name=a", body="secret")
    assert '"sid":"a-1._~"' in answer.body
    pipe = driver.connect()
    pipe.send(websocket_request_bytes(query=f"{NEW_WEBSOCKET}&name=b"))
    assert b'"sid":"b-2._~"' in pipe.output
    assert list(app.sockets) == ["a-1._~", "b-2._~"]
    assert driver.post("a-1._~", "4x").body == "ok"
    assert [request.body for request in asked] == [b"", b""]


def test_the_longest_id(serve: Serve) -> None:
    app, driver = serve(generate_id=lambda request: "x" * 128)
    assert driver.poll_handshake() == "x" * 128
    assert len(app.sockets) == 1


@pytest.mark.parametrize(
    "made", ["", "x" * 129, "a b", "a/b", "a&b", "é", "a\n", "\ud800", None, 5, b"bytes"], ids=repr
)
def test_what_is_no_id(serve: Serve, made: object) -> None:
    """Rule 2: code 3 for the client, the reason for the log."""
    app, driver = serve(generate_id=lambda request: made)
    answer = driver.connect().request("GET", query=POLLING)
    assert (answer.status, answer.body) == (400, BAD_REQUEST)
    assert refused(driver.connect()).body == BAD_REQUEST
    assert not app.engine.sessions
    assert len(driver.runtime.logged) == 2
    driver.runtime.logged.clear()


def test_an_id_that_is_taken(serve: Serve) -> None:
    """The session that has it stays as it is; once it is over the id is free."""
    app, driver = serve(generate_id=lambda request: "same")
    events = record(app)
    driver.poll_handshake()
    assert driver.connect().request("GET", query=POLLING).body == BAD_REQUEST
    assert refused(driver.connect()).body == BAD_REQUEST
    assert driver.post("same", "4x\x1e1").body == "ok"
    assert events == [("connection",), ("message", "x"), ("close", "transport close")]
    assert driver.poll_handshake() == "same"
    assert len(driver.runtime.logged) == 2
    driver.runtime.logged.clear()


def test_a_failure(serve: Serve) -> None:
    """Security rule 34: nothing of it is in the answer."""
    failure = RuntimeError("the secret")

    def generate(request: Request) -> str:
        raise failure

    _, driver = serve(generate_id=generate)
    assert driver.connect().request("GET", query=POLLING).body == BAD_REQUEST
    assert [error for _, error in driver.runtime.logged] == [failure]
    driver.runtime.logged.clear()


async def coroutine(request: Request) -> str:
    """An id that would have to be waited for."""
    return "x"


@pytest.mark.parametrize("function", [coroutine, lambda: "x"])
def test_what_cannot_be_called(function: Callable[..., object]) -> None:
    with pytest.raises(TypeError, match="generate_id"):
        engineio(generate_id=function)


# initial_packet


@pytest.mark.parametrize(
    ("packet", "polling", "websocket"),
    [("hi", "4hi", "4hi"), ("", "4", "4"), (b"\x01", "bAQ==", b"\x01"), (b"", "b", b"")],
)
def test_first_message(
    serve: Serve, packet: str | bytes, polling: str, websocket: str | bytes
) -> None:
    """Feature row 13: in the payload of the handshake, and as the second WebSocket message."""
    app, driver = serve(initial_packet=packet)
    answer = driver.connect().request("GET", query=POLLING)
    handshake, _, first = answer.body.partition("\x1e")
    assert re.fullmatch(r'0\{"sid":.*\}', handshake)
    assert first == polling
    opening, second = driver.websocket().take()
    assert str(opening).startswith("0{")
    assert second == websocket
    for socket in app.sockets.values():
        socket.send("later")
    sid = next(iter(app.sockets))
    assert taken(driver.get(sid)).body == "4later"


def test_a_probe_is_no_handshake(serve: Serve) -> None:
    """Who upgrades has had it already."""
    app, driver = serve(initial_packet="hi")
    driver.connect().request("GET", query=POLLING)
    (sid,) = app.sockets
    websocket = driver.websocket(sid)
    websocket.send("2probe")
    assert websocket.take() == ["3probe"]


# cookie


@pytest.mark.parametrize(
    ("cookie", "expected"),
    [
        (True, "io={}; Path=/; HttpOnly; SameSite=Lax"),
        ("route", "route={}; Path=/; HttpOnly; SameSite=Lax"),
        (Cookie(name="a", path="/b", secure=True), "a={}; Path=/b; HttpOnly; SameSite=Lax; Secure"),
        (False, None),
        (None, None),
    ],
)
def test_cookie(serve: Serve, cookie: Cookie | str | bool | None, expected: str | None) -> None:
    """Feature row 14: with the handshake, and never again."""
    app, driver = serve(cookie=cookie)
    answer = driver.connect().request("GET", query=POLLING)
    (sid,) = app.sockets
    value = None if expected is None else expected.format(sid)
    assert answer.headers.get("set-cookie") == value
    assert "set-cookie" not in driver.post(sid, "4x").headers


# clients_count


def test_clients_count() -> None:
    """Feature row 29: from the handshake to the end that the client is told of."""
    app, driver = engineio()
    assert app.engine.clients_count == 0
    sid = driver.poll_handshake()
    websocket = driver.websocket()
    assert app.engine.clients_count == 2
    websocket.close()
    assert app.engine.clients_count == 1
    app.sockets[sid].close()
    driver.settle()
    assert app.engine.clients_count == 1
    driver.get(sid)
    assert app.engine.clients_count == 0
    nothing_is_left(app, driver)


# What a session keeps


def test_a_handshake_with_a_body(serve: Serve) -> None:
    """Security rule T13: what nobody will look at is not kept as long as the session lives."""
    app, driver = serve()
    assert driver.connect().request("GET", query=POLLING, body="x" * 1000).status == 200
    (socket,) = app.sockets.values()
    assert socket.request.body == b""

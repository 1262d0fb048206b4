"""`allow_request`: who is asked, when, and what becomes of the request meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.engineio import (
    BAD_REQUEST,
    POLLING,
    UNKNOWN_SESSION,
    Serve,
    record,
    taken,
)
from support.runtime import Gate
from support.transcript import Driver, Pipe, request_bytes, websocket_request_bytes

from sansocket.sansio.engineio.http import Request
from sansocket.sansio.engineio.session import Peer
from sansocket.sansio.engineio.websocket_transport import WebSocketTransport
from sansocket.sansio.errors import LocalProtocolError, RemoteProtocolError

FORBIDDEN = '{"code":4,"message":"Forbidden"}'


def is_over(pipe: Pipe) -> bool:
    """Whether the server closes the connection."""
    return pipe.wire.closing


def shake_hands(driver: Driver, transport: str = "polling", version: int = 4) -> Pipe:
    """Send a handshake; what is answered, if it is, is in the pipe."""
    pipe = driver.connect()
    query = f"EIO={version}&transport={transport}"
    head = request_bytes("GET", query=query)
    pipe.send(websocket_request_bytes(query=query) if transport == "websocket" else head)
    return pipe


def status(pipe: Pipe) -> int | None:
    """The status that has come, if one has."""
    output = bytes(pipe.output)
    return int(output.split(b" ")[1]) if output else None


@pytest.mark.parametrize(
    ("verdict", "code", "body"),
    [
        (True, 200, None),
        (None, 200, None),
        (False, 403, FORBIDDEN),
        ("", 403, FORBIDDEN),
        ("not today", 403, '{"code":4,"message":"not today"}'),
        ('"\n\u2028\ud800', 403, '{"code":4,"message":"\\"\\n\u2028?"}'),
    ],
)
def test_verdict(serve: Serve, verdict: bool | str | None, code: int, body: str | None) -> None:
    """Rule 2: False or a message refuses, whoever it is; a plain function is called at once."""
    app, driver = serve(allow_request=lambda request: verdict)
    answer = taken(shake_hands(driver))
    assert answer.status == code
    assert len(app.engine.sessions) == (code == 200)
    websocket = shake_hands(driver, "websocket")
    assert status(websocket) == (101 if code == 200 else 403)
    assert is_over(websocket) is (code != 200)
    if body is not None:
        assert answer.body == body
        assert taken(websocket).body == body


@pytest.mark.parametrize("verdict", [0, 1, b"no", object(), []])
def test_no_verdict(serve: Serve, verdict: object) -> None:
    """What is neither yes nor no is a failure of the function: nobody gets in by it."""
    app, driver = serve(allow_request=lambda request: verdict)
    assert taken(shake_hands(driver)).body == BAD_REQUEST
    assert status(shake_hands(driver, "websocket")) == 400
    assert not app.engine.sessions
    assert [type(error) for _, error in driver.runtime.logged] == [TypeError] * 2
    driver.runtime.logged.clear()


@pytest.mark.parametrize("waits", [False, True])
def test_failure(serve: Serve, waits: bool) -> None:
    """Rule 2 and security rule 34: code 3, and what was raised is in the log alone."""
    failure = RuntimeError("the secret")

    def plain(request: Request) -> bool:
        raise failure

    async def coroutine(request: Request) -> bool:
        raise failure

    app, driver = serve(allow_request=coroutine if waits else plain)
    answer = taken(shake_hands(driver))
    assert (answer.status, answer.body) == (400, BAD_REQUEST)
    assert not app.engine.sessions
    assert [error for _, error in driver.runtime.logged] == [failure]
    driver.runtime.logged.clear()


def test_place_in_the_order(serve: Serve) -> None:
    """Rule 1: after the checks of transport, origin, session and method, before the version."""
    asked: list[str] = []

    def allow(request: Request) -> bool:
        asked.append(request.query["EIO"])
        return request.query["EIO"] != "5"

    _, driver = serve(allow_request=allow)
    for method, query, headers, code in [
        ("GET", "EIO=4&transport=pigeon", {}, 0),
        ("GET", "EIO=4&transport=polling", {"Origin": "http://a\x01b"}, 3),
        ("GET", "EIO=4&transport=polling&sid=unknown", {}, 1),
        ("POST", "EIO=4&transport=polling", {}, 2),
        ("GET", "EIO=4&transport=websocket", {}, 3),
        ("GET", "EIO=4&transport=polling", {"Origin": "http://foreign.example"}, 4),
    ]:
        assert driver.connect().request(method, query=query, **headers).json["code"] == code
    assert asked == []
    assert taken(shake_hands(driver, version=3)).json["code"] == 5
    assert taken(shake_hands(driver, version=5)).json["code"] == 4
    assert asked == ["3", "5"]


def test_only_those_who_shake_hands(serve: Serve) -> None:
    """What belongs to a session already is not asked about again, nor is a preflight."""
    asked: list[Request] = []
    app, driver = serve(allow_request=asked.append, cors_allowed_origins="*")
    sid = driver.poll_handshake()
    assert driver.post(sid, "4hello").body == "ok"
    driver.get(sid)
    assert driver.websocket(sid).status == 101
    answer = driver.connect().request("OPTIONS", query=POLLING, Origin="http://a.example")
    assert answer.status == 204
    assert len(asked) == 1
    assert app.engine.clients_count == 1


def test_what_it_sees(serve: Serve) -> None:
    """The request as it came, but for its body."""
    asked: list[Request] = []
    _, driver = serve(allow_request=asked.append)
    pipe = driver.connect()
    pipe.send(request_bytes("GET", query=f"{POLLING}&token=a%20b", body="secret", X_Token="c"))
    (request,) = asked
    assert (request.method, request.path, request.body) == ("GET", "/socket.io/", b"")
    assert request.query["token"] == "a b"
    assert request.header(b"x-token") == "c"


# A coroutine function


class Slow:
    """An `allow_request` that waits for its gate."""

    def __init__(self, verdict: bool | str = True) -> None:
        self.gate = Gate()
        self.verdict = verdict
        self.began = 0
        self.ended = 0

    async def __call__(self, request: Request) -> bool | str:
        self.began += 1
        try:
            await self.gate.wait()
        finally:
            self.ended += 1
        return self.verdict

    def open(self, driver: Driver) -> None:
        """Let it decide."""
        self.gate.open()
        driver.settle()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_it_waits_for_the_verdict(serve: Serve, transport: str) -> None:
    """No session before it; and whoever else comes meanwhile is served."""
    slow = Slow()
    app, driver = serve(allow_request=slow)
    pipe = shake_hands(driver, transport)
    driver.advance(1.5)
    assert status(pipe) is None
    assert not app.engine.sessions
    assert driver.connect().request("GET", query=f"{POLLING}&sid=unknown").body == UNKNOWN_SESSION
    slow.open(driver)
    assert status(pipe) == (200 if transport == "polling" else 101)
    assert app.engine.clients_count == 1
    assert (slow.began, slow.ended) == (1, 1)


def test_the_session_begins_with_the_verdict(serve: Serve) -> None:
    """Rule 22: the first ping comes one interval after it."""
    slow = Slow()
    _, driver = serve(allow_request=slow)
    pipe = shake_hands(driver)
    driver.advance(1.5)
    slow.open(driver)
    poll = driver.get(taken(pipe).body.partition('"sid":"')[2].partition('"')[0])
    driver.advance(24.9)
    assert status(poll) is None
    driver.advance(0.1)
    assert taken(poll).body == "2"


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize("verdict", [False, "no"])
def test_refused_after_a_while(serve: Serve, transport: str, verdict: bool | str) -> None:
    slow = Slow(verdict)
    app, driver = serve(allow_request=slow)
    pipe = shake_hands(driver, transport)
    slow.open(driver)
    assert taken(pipe).json == {"code": 4, "message": verdict or "Forbidden"}
    assert is_over(pipe) is (transport == "websocket")
    assert not app.engine.sessions


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize("options", [{}, {"admission_timeout": 7.0}])
def test_deadline(serve: Serve, transport: str, options: dict[str, float]) -> None:
    """Security rule T12: a 503 at the deadline, whatever the function does; it is cancelled."""
    slow = Slow()
    limit = options.get("admission_timeout", 2.0)
    app, driver = serve(allow_request=slow, **options)
    pipe = shake_hands(driver, transport)
    driver.advance(limit - 0.1)
    assert status(pipe) is None
    driver.advance(0.1)
    answer = taken(pipe)
    assert (answer.status, answer.json["code"]) == (503, 3)
    assert (slow.began, slow.ended) == (1, 1)
    slow.open(driver)
    assert status(pipe) is None
    assert not app.engine.sessions
    assert not driver.runtime.tasks


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_it_decides_too_late(serve: Serve, transport: str) -> None:
    """A function that does not care for its cancellation has no say any more."""

    async def allow(request: Request) -> bool:
        try:
            await Gate().wait()
        except GeneratorExit:
            return True
        return False

    app, driver = serve(allow_request=allow)
    pipe = shake_hands(driver, transport)
    shake_hands(driver, transport).lose()
    driver.advance(2.0)
    assert taken(pipe).status == 503
    assert not app.engine.sessions


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize("way", ["lost", "finished", "too much sent"])
def test_the_client_goes_meanwhile(serve: Serve, transport: str, way: str) -> None:
    """Security rule T13: the function is cancelled, and no session is opened for nobody."""
    slow = Slow()
    app, driver = serve(allow_request=slow)
    pipe = shake_hands(driver, transport)
    assert (slow.began, slow.ended) == (1, 0)
    if way == "lost":
        pipe.lose()
    elif way == "finished":
        pipe.wire.finish()
    else:
        driver.bytewise = False
        pipe.send(bytes(70_000))
    assert (slow.began, slow.ended) == (1, 1)
    assert is_over(pipe)
    slow.open(driver)
    driver.advance(30.0)
    assert not app.engine.sessions
    assert len(app.engine.timers) == 0
    assert status(pipe) in (None, 400)


def test_the_client_goes_when_it_is_decided(serve: Serve) -> None:
    """Between the verdict and the time in which it is heard, too."""
    slow = Slow()
    app, driver = serve(allow_request=slow)
    pipes = [shake_hands(driver), shake_hands(driver, "websocket")]
    slow.gate.open()
    driver.runtime.run()
    for pipe in pipes:
        pipe.wire.lost()
    driver.settle()
    assert not app.engine.sessions
    assert slow.ended == 2


def test_what_is_pipelined_waits(serve: Serve) -> None:
    """Answers come in the order of the requests."""
    slow = Slow("no")
    _, driver = serve(allow_request=slow)
    pipe = shake_hands(driver)
    pipe.send(request_bytes("GET", query="transport=pigeon"))
    assert status(pipe) is None
    slow.open(driver)
    assert pipe.take().count(b"HTTP/1.1 ") == 2


def test_frames_before_the_verdict(serve: Serve) -> None:
    """What a hasty client sends behind its handshake is not lost."""
    slow = Slow()
    app, driver = serve(allow_request=slow)
    events = record(app)
    pipe = shake_hands(driver, "websocket")
    pipe.send(b"\x81\x82\0\0\0\x004x")
    slow.open(driver)
    assert events == [("connection",), ("message", "x")]


def test_many_wait_at_once(serve: Serve) -> None:
    """Each has a deadline and a verdict of its own."""
    gates: list[Gate] = []

    async def allow(request: Request) -> None:
        gates.append(Gate())
        await gates[-1].wait()

    app, driver = serve(allow_request=allow)
    pipes = [shake_hands(driver) for _ in range(3)]
    gates[1].open()
    driver.settle()
    assert [status(pipe) for pipe in pipes] == [None, 200, None]
    driver.advance(2.0)
    assert [status(pipe) for pipe in pipes] == [503, 200, 503]
    assert app.engine.clients_count == 1


async def wrong_arguments() -> bool:
    """A function that nobody can call with a request."""
    return True


@pytest.mark.parametrize("function", [wrong_arguments, lambda one, two: True])
def test_what_cannot_be_called(serve: Serve, function: Callable[..., bool]) -> None:
    with pytest.raises(TypeError, match="allow_request"):
        serve(allow_request=function)


# The message seam


SEAM = Request(
    "GET", "/socket.io/", {"EIO": "4", "transport": "websocket"}, ((b"upgrade", b"websocket"),)
)
"""A request for a WebSocket, as somebody else has read it."""


def test_nobody_gets_around_it(serve: Serve) -> None:
    """A WebSocket that somebody else frames is asked about as any other."""
    app, _ = serve(allow_request=lambda request: "no")
    with pytest.raises(RemoteProtocolError, match="no") as caught:
        app.engine.open_websocket(SEAM, lambda: None, 0.0, Peer())
    assert caught.value.status == 403
    assert not app.engine.sessions


def test_one_that_has_to_wait(serve: Serve) -> None:
    """It is not let in unasked; `admit` tells when it may be."""
    slow = Slow()
    app, driver = serve(allow_request=slow)
    with pytest.raises(LocalProtocolError):
        app.engine.open_websocket(SEAM, lambda: None, 0.0, Peer())
    assert not driver.runtime.tasks
    decided: list[float] = []
    transport = WebSocketTransport(app.engine, lambda: None, Peer())
    with pytest.raises(LocalProtocolError):
        transport.verify(SEAM)
    assert not transport.admit(SEAM, 0.0, decided.append)
    with pytest.raises(LocalProtocolError):
        transport.verify(SEAM)
    driver.advance(1.0)
    slow.open(driver)
    assert decided == [1.0]
    transport.open(SEAM, transport.verify(SEAM), 1.0)
    assert app.engine.clients_count == 1
    transport.lost()

"""The URL and the headers may be functions that are asked before every attempt (row 166)."""

from __future__ import annotations

from typing import Any

import pytest
from support.fake_engine import Dialer, Rig, record
from support.runtime import Gate, LoopFree, counting_entropy

from sansocket.sansio.errors import TransportError
from sansocket.sansio.socketio.client.app import ClientApp
from sansocket.sansio.socketio.client.questions import Asking, Questions
from sansocket.sansio.socketio.client.states import ClientState


def test_every_attempt_asks() -> None:
    """As `auth` is asked at every connection (rule 86)."""
    asked: list[str] = []

    def url() -> str:
        asked.append("url")
        return f"http://server{len(asked)}.example/ignored"

    async def headers() -> dict[str, str]:
        asked.append("headers")
        return {}

    rig = Rig(url, extra_headers=headers)
    assert repr(rig.client) == "<Client nowhere yet closed>"
    socket = rig.client.socket()
    assert socket.namespace == "/"
    socket.connect()
    rig.open()
    rig.accept()
    assert asked == ["url", "headers"]
    rig.lose()
    rig.advance(1)
    rig.fail()
    rig.advance(2)
    rig.rejoin()
    assert asked == ["url", "headers"] * 3
    assert repr(rig.client) == "<Client server5.example open>"


def test_what_they_say_is_used() -> None:
    """On the connections, and in the requests on them."""
    runtime = Dialer()
    client = ClientApp(
        runtime,
        lambda: "https://server.example:8443",
        entropy=counting_entropy(),
        extra_headers=lambda: {"Authorization": "Bearer 1"},
        transports=("polling",),
    )
    client.socket().connect()
    for _ in range(3):
        client.handle_timeout(0.0)
    [wire] = runtime.dialled
    assert (wire.target.host, wire.target.port, wire.target.secure) == (
        "server.example",
        8443,
        True,
    )
    wire.connected(0.0)
    assert b"\r\nAuthorization: Bearer 1\r\n" in b"".join(wire.data_to_send())


def test_cookies_stay_with_their_server() -> None:
    """Those of one server are none of another's business, also where only the port differs."""
    where = ["http://a.example", "http://a.example", "http://a.example:81"]
    rig = Rig(lambda: where.pop(0))
    rig.joined()
    first = rig.client.engine.cookies
    rig.lose()
    rig.advance(1)
    rig.rejoin()
    assert rig.client.engine.cookies is first
    rig.lose()
    rig.advance(1)
    assert rig.client.engine.cookies is not first


class Wrong(Exception):
    """What a function raises."""


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize(
    ("option", "answer", "words"),
    [
        ("url", Wrong("no way"), "no way"),
        ("url", "ftp://x", "http, https"),
        ("url", None, "str"),
        ("extra_headers", Wrong("no way"), "no way"),
        ("extra_headers", {"a b": ""}, "a b"),
        ("extra_headers", 3, "extra_headers"),
    ],
)
def test_what_makes_no_sense_fails_the_attempt(
    option: str, answer: object, words: str, waits: bool
) -> None:
    """It is told like any other, and tried again: the next answer may be better."""
    good: dict[str, Any] = {"url": "http://server.example", "extra_headers": {}}
    answers = [answer, good[option]]

    def say() -> object:
        said = answers.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    async def say_later() -> object:
        return say()

    options: dict[str, Any] = {**good, option: say_later if waits else say}
    rig = Rig(**options)
    socket = rig.client.socket()
    told = record(socket, "connect_error")
    socket.connect()
    rig.settle()
    [(_, error)] = told
    assert isinstance(error, TransportError)
    assert error.message == "options error"
    assert words in str(error.description)
    assert error.context is error.__cause__
    assert rig.engines == []
    rig.advance(1)
    rig.rejoin()
    assert socket.connected


def test_an_answer_that_takes_too_long() -> None:
    """Row 160: the time of the attempt counts. The function is cancelled, and asked again."""
    gate = Gate()
    asked, ended = list[int](), list[int]()

    async def url() -> str:
        number = len(asked)
        asked.append(number)
        try:
            await gate.wait()
        finally:
            ended.append(number)
        return f"http://server{number}.example"

    rig = Rig(url, timeout=3.0)
    socket = rig.client.socket()
    told = record(socket, "connect_error")
    socket.connect()
    rig.advance(3.0)
    [(_, error)] = told
    assert error.message == "timeout"
    assert error.description == "no answer from the function for url within 3.0 seconds"
    assert rig.client.state is ClientState.WAITING
    assert ended == asked == [0]
    gate.open()
    rig.settle()
    assert rig.engines == []
    assert rig.client.engine.address is None
    rig.advance(1.0)
    rig.rejoin()
    assert repr(rig.client) == "<Client server1.example open>"


def test_functions_that_hang_are_told_by_their_names() -> None:
    """The first that has not answered, each time; in the end the client gives up."""
    hangs = ["url", "extra_headers"]

    async def url() -> str:
        if hangs[0] == "url":
            await Gate().wait()
        return "http://server.example"

    async def headers() -> dict[str, str]:
        await Gate().wait()
        return {}

    rig = Rig(url, extra_headers=headers, timeout=3.0, reconnection_attempts=1)
    socket = rig.client.socket()
    told = record(socket, "connect_error")
    socket.connect()
    rig.advance(3.0)
    del hangs[0]
    rig.advance(1.0 + 3.0)
    assert ["url" in error.description for _, error in told] == [True, False]
    assert ["extra_headers" in error.description for _, error in told] == [False, True]
    assert rig.client.state is ClientState.CLOSED
    assert rig.runtime.tasks == []


def test_leaving_while_a_function_is_asked() -> None:
    """No attempt comes of it; one that is made meanwhile asks for itself."""
    gates = [Gate(), Gate()]
    asked: list[Gate] = []

    async def headers() -> dict[str, str]:
        asked.append(gates[len(asked)])
        await asked[-1].wait()
        return {}

    rig = Rig(extra_headers=headers)
    socket = rig.client.socket()
    for _ in range(2):
        socket.disconnect()
        socket.connect()
        rig.settle()
    gates[0].open()
    rig.settle()
    assert rig.engines == []
    gates[1].open()
    rig.open()
    rig.accept()
    assert socket.connected
    assert len(rig.engines) == 1


def test_leaving_for_good_while_a_function_is_asked() -> None:
    gate = Gate()

    async def headers() -> dict[str, str]:
        await gate.wait()
        return {}

    rig = Rig(extra_headers=headers)
    task = rig.task(rig.client.connect())
    task.cancel()
    assert rig.task(rig.client.aclose()).done
    gate.open()
    rig.settle()
    assert rig.engines == []
    assert len(rig.client.timers) == 0


def test_without_reconnection_a_wrong_answer_is_the_end() -> None:
    rig = Rig(lambda: "ftp://x", reconnection=False)
    task = rig.task(rig.client.connect(retry=True))
    with pytest.raises(TransportError, match="options error"):
        _ = task.result
    assert rig.client.state is ClientState.CLOSED
    assert len(rig.client.timers) == 0


@pytest.mark.parametrize("option", ["url", "extra_headers"])
def test_functions_that_cannot_be_asked(option: str) -> None:
    options: dict[str, Any] = {"url": "http://server.example", option: lambda socket: {}}
    with pytest.raises(TypeError, match=option):
        Rig(**options)


def asked(*functions: Any, runtime: LoopFree | None = None) -> tuple[list[Any], LoopFree, Asking]:
    """Questions that have been asked, and what came of them."""
    questions, runtime, told = Questions(), runtime or LoopFree(), list[Any]()
    assert not questions
    for number, function in enumerate(functions):
        questions.add(f"option{number}", function, told.append)
    assert questions
    asking = Asking(questions, runtime, lambda asking, error: told.append((asking.name, error)))
    asking.begin(None)
    return told, runtime, asking


def test_questions_are_asked_in_their_order() -> None:
    """The answers are taken together, when all are there; what does not wait needs no task."""
    told, runtime, _ = asked(lambda: 1, lambda: 2)
    assert told == [1, 2, ("option1", None)]
    assert runtime.tasks == []


def test_a_question_that_fails() -> None:
    """Nobody is asked behind it, and nothing is taken."""
    error = Wrong()

    def fails() -> None:
        raise error

    told, _, _ = asked(lambda: 1, fails, lambda: 2)
    assert told == [("option1", error)]


def test_a_function_that_is_cancelled() -> None:
    """It ends where it waits; nobody is asked behind it, and nobody told."""
    ends = list[str]()

    async def hangs() -> None:
        try:
            await Gate().wait()
        finally:
            ends.append("cancelled")

    told, runtime, asking = asked(hangs, lambda: ends.append("asked"))
    runtime.run()
    assert asking.name == "option0"
    for _ in range(2):
        asking.cancel()
    assert ends == ["cancelled"]
    assert [*told, *runtime.tasks, *runtime.logged] == []


def test_a_function_that_is_cancelled_before_it_begins() -> None:
    """What it has made is closed, so that Python does not complain."""
    begun = list[str]()

    async def hangs() -> None:
        begun.append("begun")

    for function in (hangs, lambda: Waits()):
        told, runtime, asking = asked(function)
        asking.cancel()
        runtime.run()
        assert [*told, *begun, *runtime.tasks] == []


class Waits:
    """Something to be awaited that is no coroutine."""

    def __await__(self) -> Any:
        raise NotImplementedError


def test_a_function_that_has_the_asking_cancelled() -> None:
    """As one does that disconnects the socket, in itself or in what it makes."""
    here = list[Asking]()
    begun = list[str]()

    async def more() -> None:
        begun.append("begun")

    def cancels() -> Any:
        here[0].cancel()
        return more()

    questions, runtime, told = Questions(), LoopFree(), list[Any]()
    questions.add("first", lambda: here[0].cancel(), told.append)
    questions.add("second", lambda: begun.append("asked"), told.append)
    here.append(Asking(questions, runtime, lambda asking, error: told.append(asking)))
    here[0].begin(None)
    assert runtime.tasks == []
    questions = Questions()
    questions.add("first", cancels, told.append)
    here[:] = [Asking(questions, runtime, lambda asking, error: told.append(asking))]
    here[0].begin(None)
    runtime.run()
    assert [*told, *begun, *runtime.tasks] == []


class Stubborn(LoopFree):
    """A runtime whose tasks do not let themselves be cancelled."""

    def spawn_cancellable(self, function: Any, home: object, done: Any) -> Any:
        """What is returned does nothing."""
        super().spawn_cancellable(function, home, done)
        return lambda: None


@pytest.mark.parametrize("fails", [True, False])
def test_a_function_that_does_not_end_when_it_is_cancelled(fails: bool) -> None:
    """What it says is nobody's; what it raises is logged."""
    gate = Gate()

    async def hangs() -> None:
        await gate.wait()
        if fails:
            raise Wrong

    told, runtime, asking = asked(hangs, runtime=Stubborn())
    runtime.run()
    asking.cancel()
    gate.open()
    runtime.run()
    assert told == []
    assert ["option0" in message for message, _ in runtime.logged] == [True] * fails

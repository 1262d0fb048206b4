"""`allow_request` and middleware that have to be waited for, on every loop."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from backends.hosts import Gate, Host
from interop.peers import Http

from sansocket.sansio.request import Request

Serve = Callable[..., Host]
Headers = list[tuple[str, str]]


class Slow:
    """Decides when its gate opens."""

    def __init__(self, verdict: bool | str = True) -> None:
        self.gate: Gate
        self.verdict = verdict
        self.calls: list[str] = []

    async def allow(self, request: Request) -> bool | str:
        """An `allow_request`."""
        self.calls.append("began")
        try:
            await self.gate.wait()
        finally:
            self.calls.append("ended")
        return self.verdict

    def start(self, serve: Serve, **options: object) -> Host:
        """A server that asks it."""
        host = serve(allow_request=self.allow, **options)
        self.gate = Gate(host.io)
        host.start()
        return host


@pytest.mark.parametrize("verdict", [True, "not today"])
def test_verdict(serve: Serve, verdict: bool | str) -> None:
    """The request waits, and others are served meanwhile."""
    slow = Slow(verdict)
    host = slow.start(serve)
    target = host.address.target(transport="polling")
    one, other = Http(host.address), Http(host.address)
    one.send(host.address.request("GET", target))
    host.see(lambda: slow.calls, ["began"])
    assert other.request("GET", host.address.target(transport="pigeon")).status == 400
    host.run(slow.gate.open)
    answer = one.answer()
    if verdict is True:
        assert (answer.status, answer.text[:2]) == (200, "0{")
        host.see(lambda: host.engine.clients_count, 1)
    else:
        assert answer.status == 403
        assert answer.text == '{"code":4,"message":"not today"}'
    one.close()
    other.close()


def test_websocket(serve: Serve) -> None:
    slow = Slow()
    host = slow.start(serve)
    host.run(slow.gate.open)
    websocket = host.websocket()
    websocket.send("40")
    assert str(websocket.receive()).startswith('40{"sid":')


def test_deadline(serve: Serve) -> None:
    """Security rule T12: a 503, no later than the option says, and the function is cancelled."""
    slow = Slow()
    host = slow.start(serve, admission_timeout=0.2)
    http = Http(host.address)
    began = time.monotonic()
    answer = http.request("GET", host.address.target(transport="polling"))
    assert answer.status == 503
    assert 0.2 <= time.monotonic() - began < 2.0
    host.see(lambda: slow.calls, ["began", "ended"])
    assert host.run(lambda: host.engine.clients_count) == 0
    http.close()


def test_the_client_goes_meanwhile(serve: Serve) -> None:
    """Security rule T13: the function is cancelled, and no session is opened."""
    slow = Slow()
    host = slow.start(serve, admission_timeout=60.0)
    http = Http(host.address)
    http.send(host.address.request("GET", host.address.target(transport="polling")))
    host.see(lambda: slow.calls, ["began"])
    http.close()
    host.see(lambda: slow.calls, ["began", "ended"])
    host.run(slow.gate.open)
    assert host.run(lambda: host.engine.clients_count) == 0
    host.see(lambda: len(host.engine.timers), 0)


def test_middleware(serve: Serve) -> None:
    """It waits for every request of a session, which goes on as ever."""
    host = serve()
    gates: list[Gate] = []

    @host.io.engine.use
    async def wait(request: Request, headers: Headers) -> None:
        await gates[0].wait()

    @host.io.on("echo")
    def echo(socket: object, value: object) -> object:
        return value

    gates.append(Gate(host.io))
    host.start()
    host.run(gates[0].open)
    polling = host.polling()
    assert polling.post("40").text == "ok"
    assert polling.get().text.startswith('40{"sid":')
    assert polling.post('420["echo",1]').text == "ok"
    assert polling.get().text == "430[1]"

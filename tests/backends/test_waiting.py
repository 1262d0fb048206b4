"""A handler that waits for its client does not keep the answer from being read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backends.hosts import Gate, Host
from backends.test_backends import join

from sansocket.sansio.errors import Disconnected
from sansocket.sansio.socketio.socket import Socket

Serve = Callable[..., Host]


def asking(serve: Serve, **options: Any) -> tuple[Host, list[Any]]:
    """A server whose handler of `ask` waits for ever, unless its client answers or goes."""
    host = serve(max_inbound=5, **options)
    told: list[Any] = []

    @host.io.on("ask")
    async def ask(socket: Socket) -> None:
        try:
            told.append(await socket.call("really?"))
        except Disconnected as gone:
            told.append(gone.reason)

    host.io.on("later", lambda socket, number: told.append(number))
    host.start()
    return host, told


def test_the_answer_is_read_though_much_waits_before_it(serve: Serve) -> None:
    """A handler waiting in `call` never blocks the reader, over both transports."""
    host, told = asking(serve)
    client, _ = join(host)
    client.send('42["ask"]', *(f'42["later",{number}]' for number in range(1000)))
    assert client.receive() == '420["really?"]'
    client.send(*(f'42["later",{number}]' for number in range(1000, 2000)))
    client.send('430["yes"]')
    host.see(lambda: told, ["yes", *range(2000)])
    told.clear()
    polling = host.polling()
    polling.post("40")
    polling.get()
    events = "\x1e".join(f'42["later",{number}]' for number in range(100))
    assert polling.post('42["ask"]\x1e' + events).text == "ok"
    assert polling.get().text == '421["really?"]'
    assert polling.post(events).text == "ok"
    assert polling.post('431["yes"]').text == "ok"
    host.see(lambda: told, ["yes", *range(100), *range(100)])


def test_reading_stops_before_the_question_and_goes_on_with_it(serve: Serve) -> None:
    """The client is full already when it is asked: the connection that rests is woken."""
    host = serve(max_inbound=5)
    gate, answers = Gate(host.io), list[Any]()

    @host.io.on("slow")
    async def slow(socket: Socket, number: int) -> None:
        if number == 0:
            await gate.wait()
            answers.append(await socket.call("really?"))

    host.start()
    client, _ = join(host)
    for start in range(0, 2000, 100):
        client.send(*(f'42["slow",{number}]' for number in range(start, start + 100)))
    host.see(lambda: [session.congested for session in host.engine.sessions.values()], [True])
    host.run(gate.open)
    assert client.receive() == '420["really?"]'
    client.send('430["yes"]')
    host.see(lambda: answers, ["yes"])


def test_a_client_that_floods_and_never_answers_is_closed(serve: Serve) -> None:
    """The second bound, `max_surplus`, has a reason of its own."""
    host, told = asking(serve, max_surplus=100)
    client, _ = join(host)
    client.send('42["ask"]', *(f'42["later",{number}]' for number in range(50)))
    assert client.receive() == '420["really?"]'
    client.send(*(f'42["later",{number}]' for number in range(1000)))
    host.see(lambda: told[:1], ["receive buffer full"])
    host.see(lambda: len(host.engine.sessions), 0)

"""What concerns many goes on by itself on every backend, in its order for each."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from backends.hosts import Host
from backends.test_backends import join

from sansocket.sansio.socketio.socket import Socket

Serve = Callable[..., Host]

COUNT = 5


def test_order_and_answers_of_a_broadcast_in_portions(serve: Serve) -> None:
    """A later emission overtakes nothing, listeners hear the same order, and all may answer."""
    host = serve()
    host.io.engine.portions.at_once = 1
    told: dict[str, list[str]] = {}

    @host.io.on_any_outgoing
    def tell(socket: Socket, event: str, *args: Any) -> None:
        told.setdefault(socket.id, []).append(event)

    @host.io.on("go")
    def go(socket: Socket) -> None:
        host.io.emit("first")
        host.io.emit("asked", ack=lambda error, answers: socket.emit("came", sorted(answers)))
        socket.emit("alone")
        host.io.emit("last")

    @host.io.on("waiting")
    def waiting(socket: Socket) -> int:
        return len(host.io.engine.portions)

    host.start()
    clients = [join(host) for _ in range(COUNT)]
    clients[-1][0].send('42["go"]')
    for number, (client, _) in enumerate(clients):
        assert client.receive() == '42["first"]'
        asked = re.fullmatch(r'42(\d+)\["asked"\]', str(client.receive()))
        assert asked
        if number == COUNT - 1:
            assert client.receive() == '42["alone"]'
        assert client.receive() == '42["last"]'
        client.send(f"43{asked[1]}[{number}]")
    assert clients[-1][0].receive() == '42["came",[0,1,2,3,4]]'
    answer = ""
    while answer != "430[0]":
        clients[0][0].send('420["waiting"]')
        answer = str(clients[0][0].receive())
    for _, socket_id in clients[:-1]:
        assert told[socket_id] == ["first", "asked", "last"]
    assert told[clients[-1][1]] == ["first", "asked", "alone", "last", "came"]

"""One event to many (protocol rules 46, 49, 72 to 78)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runtime import Task
from support.socketio_client import SocketIOClient, connected, join, reached_by, record
from support.transcript import Driver, socketio

from sansocket.sansio.config import Transport
from sansocket.sansio.errors import AckTimeout, LocalProtocolError
from sansocket.sansio.socketio.app import App
from sansocket.sansio.socketio.broadcast import Broadcast
from sansocket.sansio.socketio.socket import Socket

BOTH: Sequence[Transport] = ("polling", "websocket")


def many(count: int, **options: Any) -> tuple[App, Driver, list[SocketIOClient], list[Socket]]:
    """A server with so many clients, by turns by polling and by WebSocket."""
    app, driver = socketio(**options)
    pairs = [join(app, driver, BOTH[number % 2]) for number in range(count)]
    return app, driver, [client for client, _ in pairs], [socket for _, socket in pairs]


class Called:
    """What a callback got."""

    def __init__(self) -> None:
        self.calls: list[tuple[Exception | None, list[Any]]] = []

    def __call__(self, error: Exception | None, answers: list[Any]) -> None:
        self.calls.append((error, answers))


# To whom


def test_everyone_of_a_namespace() -> None:
    """Protocol rule 77: no rooms are everyone; no other namespace hears it."""
    app, driver, clients, _ = many(3)
    other = app.of("/other")
    elsewhere = SocketIOClient(driver)
    elsewhere.connect("/other")
    app.emit("x", 1)
    app.send("hello")
    for client in clients:
        assert client.take() == ['2["x",1]', '2["message","hello"]']
    other.emit("y")
    assert elsewhere.take() == ['2/other,["y"]']


def reached(broadcast: Broadcast, clients: list[SocketIOClient]) -> list[int]:
    """The numbers of the clients to whom an event goes, once."""
    sockets = reached_by(clients[0].driver, broadcast)
    broadcast.emit("x")
    got = [client.take() for client in clients]
    assert all(packets in ([], ['2["x"]']) for packets in got)
    numbers = [number for number, packets in enumerate(got) if packets]
    assert len(sockets) == len(set(sockets)) == len(numbers)
    return numbers


def test_rooms_and_ids() -> None:
    """Protocol rule 77: each once; an id is a room; a room that does not exist is nobody."""
    app, _, clients, sockets = many(4)
    for socket, rooms in zip(sockets, ["ab", "b", "c", ""], strict=True):
        for room in rooms:
            socket.join(room)
    assert reached(app.to("a", "b"), clients) == [0, 1]
    assert reached(app.to("a").in_("b", "c").to("a"), clients) == [0, 1, 2]
    assert reached(app.to("nowhere"), clients) == []
    assert reached(app.to("nowhere", "c"), clients) == [2]
    assert reached(app.to(sockets[3].id, "a"), clients) == [0, 3]
    assert reached(app.except_("b"), clients) == [2, 3]
    assert reached(app.except_("b").except_("c", "nowhere"), clients) == [3]
    assert reached(app.except_(sockets[0].id), clients) == [1, 2, 3]
    assert reached(app.to("b").except_("a"), clients) == [1]
    assert reached(app.to("b").except_("b"), clients) == []
    assert reached(app.local, clients) == [0, 1, 2, 3]
    assert reached(app.volatile.to("b").local, clients) == [0, 1]
    sockets[1].leave("b")
    assert reached(app.to("b"), clients) == [0]


Names = list[int | str]
ROOMS: st.SearchStrategy[Names] = st.lists(
    st.sampled_from(["a", "b", "c", "nowhere", 0, 1, 2]), max_size=3
)


@given(
    membership=st.lists(st.sets(st.sampled_from("abc")), min_size=3, max_size=3),
    rooms=ROOMS,
    but=ROOMS,
)
def test_recipients(
    membership: list[set[str]], rooms: list[int | str], but: list[int | str]
) -> None:
    """Protocol rule 77: in any of the rooms, and in none of the excepted."""
    app, driver, _, sockets = many(3)
    for socket, own in zip(sockets, membership, strict=True):
        for room in own:
            socket.join(room)
    names = [sockets[room].id if isinstance(room, int) else room for room in rooms]
    excepted = [sockets[room].id if isinstance(room, int) else room for room in but]
    chosen = {
        socket
        for socket in sockets
        if socket.rooms & set(names) and not socket.rooms & set(excepted)
    }
    found = reached_by(driver, app.to(*names).except_(*excepted))
    assert len(found) == len(chosen)
    assert set(found) == chosen


def test_modifiers_do_not_leak() -> None:
    """Protocol rule 74: each makes a new broadcast."""
    app, _, clients, sockets = many(2)
    sockets[0].join("a")
    base = app.to("a")
    base.to(sockets[1].id).volatile.timeout(1.0).except_("a").emit("y")
    clients[1].take()
    assert reached(base, clients) == [0]
    assert reached(app, clients) == [0, 1]


# In which form


def test_both_transports_get_their_own_form() -> None:
    """Protocol rules 49 and 76: base64 by polling, frames by WebSocket, whoever was first."""
    app, driver = socketio()
    order: list[Transport] = ["websocket", "polling", "polling", "websocket"]
    clients = [join(app, driver, transport)[0] for transport in order]
    app.emit("x", b"\x00\xff", {"more": b"\x1e"})
    header = '52-["x",{"_placeholder":true,"num":0},{"more":{"_placeholder":true,"num":1}}]'
    polled = clients[1].poll.answer()
    assert polled is not None
    assert polled.body == f"4{header}\x1ebAP8=\x1ebHg=="
    for client in (clients[0], clients[2], clients[3]):
        assert client.take() == [header, b"\x00\xff", b"\x1e"]


def test_every_websocket_gets_the_same_bytes() -> None:
    """Encoded once: the very same object for all recipients, with its attachments."""
    app, driver = socketio()
    clients = [join(app, driver)[0] for _ in range(5)]
    for client in clients:
        client.pipe.writable = False
    app.emit("x", b"bytes")
    pieces = [client.pipe.wire.data_to_send() for client in clients]
    [first] = pieces[0]
    assert first.endswith(b"bytes")
    assert all(piece[0] is first for piece in pieces)


def test_binary_events_do_not_mix() -> None:
    """Protocol rules 49 and 75: an attachment follows its header, whatever else is sent."""
    app, _, clients, sockets = many(2)
    for client in clients:
        client.pipe.writable = False
    app.emit("one", b"1")
    sockets[0].emit("two", b"2")
    sockets[1].emit("two", b"2")
    app.to(sockets[0].id, sockets[1].id).emit("three", b"3")
    for client in clients:
        client.pipe.writable = True
        client.pipe.pull()
        packets = client.take()
        assert [packet for packet in packets if isinstance(packet, bytes)] == [b"1", b"2", b"3"]
        assert all(isinstance(packet, str) for packet in packets[::2])


def test_what_no_packet_can_carry() -> None:
    """Security rule T19: the application's error; nobody gets anything."""
    app, _, clients, _ = many(2)
    for event, value in [("x", object()), ("connect", 1)]:
        with pytest.raises(LocalProtocolError):
            app.emit(event, value)
    assert [client.take() for client in clients] == [[], []]


def test_volatile() -> None:
    """Protocol rule 72, security rule T6: only to those who can take it now."""
    app, _, clients, _ = many(4)
    clients[1].pipe.writable = False
    app.emit("first")
    app.volatile.emit("second")
    app.volatile.send("third")
    clients[1].pipe.writable = True
    clients[1].pipe.pull()
    second, third = '2["second"]', '2["message","third"]'
    assert [client.take() for client in clients] == [
        ['2["first"]'],
        ['2["first"]'],
        ['2["first"]'],
        ['2["first"]', second, third],
    ]


def test_a_recipient_that_does_not_read() -> None:
    """Security rule T6: it is closed at its bound; the others notice nothing."""
    app, driver, clients, _ = many(3, max_backlog=10_000)
    told = record(app, "disconnect")
    clients[1].pipe.writable = False
    for _ in range(30):
        app.emit("x", "y" * 1000)
        assert len(clients[0].take()) == len(clients[2].take()) == 1
    driver.settle()
    assert told == [("disconnect", "send buffer full")]
    assert len(app.sockets) == 2


# With acknowledgements


def test_one_number_for_all() -> None:
    """Protocol rules 46 and 73: answers in the order they came; None, a value, several."""
    app, driver, clients, _ = many(3)
    called = Called()
    app.emit("x", "?", ack=called)
    for client in clients:
        assert client.take() == ['20["x","?"]']
    clients[2].send('30["last client"]')
    clients[0].send("30[]")
    clients[0].send("30[9]")
    assert called.calls == []
    clients[1].send("30[1,2]")
    assert called.calls == [(None, ["last client", None, (1, 2)])]
    driver.advance(10.0)
    assert len(called.calls) == 1


def test_numbers_do_not_collide() -> None:
    """Protocol rule 46: one counter for the broadcasts and the sockets of a namespace."""
    app, driver, client, socket = connected()
    app.of("/other")
    client.connect("/other")
    told: list[object] = []
    app.emit("to all", ack=Called())
    socket.emit("to one", ack=told.append)
    app.of("/other").emit("elsewhere", ack=Called())
    driver.settle()
    assert client.take() == ['20["to all"]', '21["to one"]', '2/other,0["elsewhere"]']
    client.send('31["one"]', '30["all"]')
    assert told == ["one"]


def test_who_does_not_answer_in_time() -> None:
    """Protocol rules 73 and 78: the answers so far are told; the rest is forgotten."""
    app, driver, clients, _ = many(3, max_pending_acks=1)
    for number in range(2):
        called = Called()
        app.timeout(5.0).emit("x", ack=called)
        clients[1].send(f'3{number}["in time"]')
        driver.advance(5.0)
        [(error, answers)] = called.calls
        assert isinstance(error, AckTimeout)
        assert error.responses == answers == ["in time"]
        clients[0].send(f'3{number}["late"]')
        assert len(called.calls) == 1
        assert answers == ["in time"]


def test_who_disconnects_is_not_awaited() -> None:
    """Protocol rule 73: nor does the broadcast fail for it."""
    app, _, clients, sockets = many(4)
    called = Called()
    app.emit("x", ack=called)
    clients[0].leave()
    clients[1].send("1")
    sockets[2].disconnect()
    assert called.calls == []
    clients[3].send("30[3]")
    assert called.calls == [(None, [3])]


def test_nobody_is_there() -> None:
    """Protocol rule 77: done at once, without answers; who comes later is not asked."""
    app, driver = socketio()
    called = Called()
    app.to("nowhere").timeout(5.0).emit("x", ack=called)
    assert called.calls == [(None, [])]
    driver.advance(6.0)
    assert len(called.calls) == 1
    assert Task(driver.runtime, app.emit_with_ack("x")).result == []


def test_emit_with_ack() -> None:
    """Protocol rule 73: it waits for everyone where no time is given."""
    app, driver, clients, _ = many(2, ping_interval=1000.0)
    task = Task(driver.runtime, app.emit_with_ack("x", 1))
    driver.advance(500.0)
    clients[0].send('30["a"]')
    driver.runtime.run()
    assert not task.done
    clients[1].send('30["b"]')
    assert task.result == ["a", "b"]


def test_emit_with_ack_in_vain() -> None:
    """Protocol rule 73: it raises, with the answers that came."""
    app, driver, clients, _ = many(2)
    task = Task(driver.runtime, app.to("nowhere").in_(*app.sockets).timeout(5.0).emit_with_ack("x"))
    clients[1].send('30["b"]')
    driver.advance(5.0)
    with pytest.raises(AckTimeout) as caught:
        _ = task.result
    assert caught.value.responses == ["b"]


def test_emit_with_ack_is_cancelled() -> None:
    """Protocol rule 78, security rule T13: nothing is awaited any more, and no timer stays."""
    app, driver = socketio(max_pending_acks=1)
    clients = [join(app, driver)[0] for _ in range(2)]
    timers = len(app.engine.timers)
    for number in range(2):
        task = Task(driver.runtime, app.timeout(5.0).emit_with_ack("x"))
        task.cancel()
        assert len(app.engine.timers) == timers
        for client in clients:
            assert client.take() == [f'2{number}["x"]']
            client.send(f"3{number}[]")
    driver.advance(6.0)
    assert driver.runtime.logged == []


def test_the_bound_of_one_recipient() -> None:
    """Protocol rule 98: an error; nobody is asked, and nobody awaited."""
    app, driver, clients, sockets = many(3, max_pending_acks=1)
    called = Called()
    sockets[1].emit("fills it", ack=called)
    clients[1].take()
    with pytest.raises(LocalProtocolError, match="pending"):
        app.timeout(5.0).emit("x", ack=called)
    assert [client.take() for client in clients] == [[], [], []]
    driver.advance(6.0)
    assert called.calls == []
    for socket in (sockets[0], sockets[2]):
        socket.emit("has room", ack=called)


def test_a_callback_that_fails() -> None:
    """Security rule T1: whether answered or late, it goes to the log and takes nothing down."""
    app, driver, client, _ = connected()

    def fail(error: Exception | None, answers: list[object]) -> None:
        raise RuntimeError("mine")

    app.emit("asked", ack=fail)
    app.timeout(5.0).emit("asked", ack=fail)
    client.send("30[]")
    driver.advance(6.0)
    assert len(driver.runtime.logged) == 2
    for message, error in driver.runtime.logged:
        assert isinstance(error, RuntimeError)
        assert "'asked'" in message
    client.take()
    assert not client.over


# What is done with many


def test_sockets_of_rooms() -> None:
    """`fetch_sockets`, `sockets_join`, `sockets_leave` and `disconnect_sockets`."""
    app, driver, clients, sockets = many(4)
    told = record(app, "disconnect")
    sockets[0].join("a")
    app.to("a", sockets[1].id).sockets_join("b", "c")
    assert set(Task(driver.runtime, app.to("b").fetch_sockets()).result) == set(sockets[:2])
    app.except_("a").sockets_leave("b", "nowhere")
    assert [sorted(socket.rooms - {socket.id}) for socket in sockets] == [
        ["a", "b", "c"],
        ["c"],
        [],
        [],
    ]
    app.to("c").disconnect_sockets()
    app.to(sockets[2].id).disconnect_sockets(close=True)
    driver.settle()
    assert told == [("disconnect", "server namespace disconnect")] * 3
    assert [client.take() for client in clients] == [["1"], ["1"], ["1"], []]
    assert [client.over for client in clients] == [False, False, True, False]
    assert list(app.sockets) == [sockets[3].id]

"""The servers that users import: trio_backend/server.py, from one end to the other."""

from __future__ import annotations

import msgspec
import pytest
from support.trio_client import HOST, Books, polling, until, websocket

from sansocket.trio_backend import (
    ConnectionRefused,
    EngineServer,
    EngineSocket,
    Server,
    Socket,
)

PATH = "/engine.io/"


@pytest.mark.parametrize("server", [Server, EngineServer])
def test_options_are_checked(server: type[Server | EngineServer]) -> None:
    """What makes no sense is an error at once."""
    with pytest.raises(ValueError, match="ping_interval"):
        server(ping_interval=0)


async def test_ids_are_random() -> None:
    """Security rule 32: the ids of sessions and of sockets have nothing in common."""
    ids: set[str] = set()
    for _ in range(2):
        io = Server()
        async with io.listening(HOST, 0) as bound, polling(bound.port) as client:
            ids |= {client.sid, await client.join()}
    assert len(ids) == 4


async def test_socketio() -> None:
    """A namespace, middleware, text and bytes, acknowledged both ways."""
    io = Server()
    admin = io.of("/admin")

    @admin.use
    async def authenticate(socket: Socket, auth: dict[str, str]) -> None:
        if auth.get("token") != "secret":
            raise ConnectionRefused("not authorized", data={"code": 401})

    @admin.on("echo")
    async def echo(socket: Socket, *args: object) -> tuple[object, ...]:
        return args

    async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
        await client.send('40/admin,{"token":"guessed"}')
        refusal = '44/admin,{"message":"not authorized","data":{"code":401}}'
        assert await client.receive() == refusal
        await client.join("/admin", {"token": "secret"})
        await client.send('451-/admin,7["echo","text",{"_placeholder":true,"num":0}]', b"bytes")
        assert await client.receive() == '461-/admin,7["text",{"_placeholder":true,"num":0}]'
        assert await client.receive() == b"bytes"


async def test_another_parser() -> None:
    """`Server(parser="msgpack")`: one binary frame a packet (rule 56)."""
    io = Server(parser="msgpack")

    @io.on("echo")
    def echo(socket: Socket, data: bytes) -> bytes:
        return data

    async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
        await client.send(msgspec.msgpack.encode({"type": 0, "nsp": "/"}))
        await client.receive()
        event = {"type": 2, "nsp": "/", "id": 0, "data": ["echo", b"bytes"]}
        await client.send(msgspec.msgpack.encode(event))
        answer = await client.receive()
        assert isinstance(answer, bytes)
        assert msgspec.msgpack.decode(answer) == {
            "type": 3,
            "nsp": "/",
            "id": 0,
            "data": [b"bytes"],
        }


class TestEngineServer:
    """Engine.IO alone (api.md)."""

    def server(self) -> tuple[EngineServer, list[str]]:
        """One that echoes, and what it was told."""
        engine = EngineServer(close_timeout=0.1)
        told: list[str] = []

        @engine.on("connection")
        async def connection(socket: EngineSocket) -> None:
            told.append(f"{socket.transport} {socket.connected}")

        @engine.on("message")
        async def message(socket: EngineSocket, data: str | bytes) -> None:
            socket.send(data)

        @engine.on("close")
        async def close(socket: EngineSocket, reason: str) -> None:
            told.append(reason)

        return engine, told

    async def test_polling(self) -> None:
        engine, told = self.server()
        async with engine.listening(HOST, 0) as bound:
            async with polling(bound.port, path=PATH) as client:
                assert (await client.post("4text\x1ebYnl0ZXM=")).body == "ok"
                payload = await client.get()
                if "\x1e" not in payload:
                    payload += "\x1e" + await client.get()
                assert payload == "4text\x1ebYnl0ZXM="
                await client.post("1")
            await until(lambda: len(told) == 2)
        assert told == ["polling True", "transport close"]

    async def test_websocket(self) -> None:
        engine, told = self.server()
        async with engine.listening(HOST, 0) as bound:
            books = Books(engine)
            async with websocket(bound.port, path=PATH) as client:
                await client.send("4text", b"bytes")
                assert await client.receive() == "4text"
                assert await client.receive() == b"bytes"
            await books.balanced()
            assert not engine.sockets
        assert told == ["websocket True", "transport close"]

    async def test_upgrade(self) -> None:
        """What was sent by polling is answered on the WebSocket that took over (rule 34)."""
        engine, told = self.server()
        async with (
            engine.listening(HOST, 0) as bound,
            polling(bound.port, path=PATH) as client,
            websocket(bound.port, path=PATH, sid=client.sid) as probe,
        ):
            await client.park()
            await probe.send("2probe")
            assert await probe.receive() == "3probe"
            assert (await client.gets.answer()).body == "6"
            await client.post("4text")
            await probe.send("5")
            assert await probe.receive() == "4text"
            assert engine.sockets[client.sid].transport == "websocket"
            assert told == ["polling True"]

    async def test_aclose(self) -> None:
        engine, told = self.server()
        async with engine.listening(HOST, 0) as bound, websocket(bound.port, path=PATH) as client:
            await engine.aclose()
            assert await client.close_code() == 1000
        assert told == ["websocket True", "server shutting down"]

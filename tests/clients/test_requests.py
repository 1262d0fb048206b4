"""What a server sees of the requests of a client: headers, query and cookies."""

from __future__ import annotations

from typing import Any

from clients.loops import Loop, Noted, on_every_loop
from clients.programs import ServerProgram


@on_every_loop
async def test_the_server_sees_headers_and_query(
    loop: Loop, server: ServerProgram, way: dict[str, Any]
) -> None:
    options = {"extra_headers": {"X-Client": "ours"}, "query": {"lang": "en"}, **way}
    async with loop.connect(server.url, **options) as socket:
        assert await socket.call("handshake", timeout=10) == ("ours", "en", None)


@on_every_loop
async def test_cookies_are_kept(loop: Loop, server: ServerProgram) -> None:
    """Row 56: over the next connections of a client too; without credentials they are not."""
    for options, kept in (({}, True), ({"with_credentials": False}, False)):
        async with loop.client(server.url, transports=("polling",), **options) as client:
            first = await client.connect()
            assert await first.call("handshake", timeout=10) == (None, None, None)
            sid = client.engine.id
            first.disconnect()
            second = await client.connect()
            cookie = (await second.call("handshake", timeout=10))[2]
            assert cookie == (f"io={sid}" if kept else None)


@on_every_loop
async def test_headers_of_one_transport(loop: Loop, our_server: ServerProgram) -> None:
    """Row 51: what the server sees of a handshake is what is said for its transport."""
    for transport in ("polling", "websocket"):
        options = {transport: {"extra_headers": {"X-Client": transport}}}
        async with loop.connect(
            our_server.url, transports=(transport,), transport_options=options
        ) as socket:
            assert (await socket.call("handshake", timeout=10))[0] == transport


@on_every_loop
async def test_functions_say_where_and_what(loop: Loop, server: ServerProgram) -> None:
    """Row 166: the URL and the headers, asked anew for every connection."""
    asked: list[str] = []

    async def url() -> str:
        return server.url + "?lang=en"

    def headers() -> dict[str, str]:
        asked.append(f"number {len(asked)}")
        return {"X-Client": asked[-1]}

    async with loop.client(url, extra_headers=headers, reconnection_delay=0.05) as client:
        noted = Noted(client.runtime)
        socket = client.socket()
        socket.on("connect", lambda: noted.note("connect"))
        socket.connect()
        for number in range(2):
            await noted.count(number + 1)
            seen = await socket.call("handshake", timeout=10)
            assert seen[:2] == (f"number {number}", "en")
            client.engine.close()


@on_every_loop
async def test_a_function_that_hangs(loop: Loop, our_server: ServerProgram) -> None:
    """Row 160: it is cancelled at the timeout of the attempt, and asked again; and with the
    block, whose end does not wait for it."""
    hangs = True

    async def headers() -> dict[str, str]:
        if hangs:
            hanging.note("begins")
            try:
                await Noted(client.runtime).count(1)
            finally:
                hanging.note("ends")
        return {"X-Client": "says"}

    client = loop.client(
        our_server.url, extra_headers=headers, timeout=0.2, reconnection_delay=0.01
    )
    hanging, errors = Noted(client.runtime), Noted(client.runtime)
    client.on("error", lambda error: errors.note(error.description))
    async with client:
        socket = client.socket()
        socket.connect()
        said = "no answer from the function for extra_headers within 0.2 seconds"
        assert (await errors.count(2))[:2] == [said, said]
        hangs = False
        client.set_options(timeout=60.0)
        await socket.until_connected(retry=True)
        assert (await socket.call("handshake", timeout=10))[0] == "says"
        assert hanging.seen == ["begins", "ends"] * (len(hanging.seen) // 2)
        hanging.seen.clear()
        hangs = True
        client.engine.close()
        assert await hanging.count(1) == ["begins"]
    assert hanging.seen == ["begins", "ends"]


@on_every_loop
async def test_options_of_the_wire(loop: Loop, server: ServerProgram) -> None:
    """Rows 47, 48, 54, 55, 59 and 60: every server takes them, and messages stay what they are."""
    options: list[dict[str, Any]] = [
        {"remember_upgrade": True},
        {"try_all_transports": True, "transports": ("websocket", "polling")},
        {"timestamp_requests": True, "timestamp_param": "stamp"},
        {"force_base64": True},
        {"protocols": ("chat",), "transports": ("websocket",)},
        {"per_message_deflate": True, "transports": ("websocket",)},
    ]
    for each in options:
        async with loop.connect(server.url, **each) as socket:
            for value in ("x" * 5000, b"\x00\xff" * 2000):
                socket.emit("echo", value)
                assert (await socket.receive(timeout=10)).args == (value,)

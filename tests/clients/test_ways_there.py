"""The way to a server: TLS, proxies, several addresses, and none."""

from __future__ import annotations

import socket as sockets
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from backends.hosts import Host, host_on
from clients.loops import Loop, Noted, on_every_loop
from clients.programs import ServerProgram
from support.proxy import Proxy
from support.servers import echoing
from support.socks_proxy import SocksProxy
from support.tls import Contexts

from sansocket.sansio.errors import TransportError


@pytest.fixture(scope="module", params=["trio", "asyncio"])
def encrypted(request: pytest.FixtureRequest, tls: Contexts) -> Iterator[Host]:
    """A server with TLS."""
    host = host_on(request.param)
    echoing(host.io)
    host.ssl_context = tls.server
    host.start()
    yield host
    host.stop()


async def speak(socket: Any) -> None:
    """A message goes there and comes back, large enough for many pieces."""
    noted = Noted(socket.client.runtime)
    socket.on("echo", noted.note)
    socket.emit("echo", "x" * 300_000)
    assert await noted.count(1) == ["x" * 300_000]


@on_every_loop
async def test_tls(loop: Loop, encrypted: Host, tls: Contexts, way: dict[str, Any]) -> None:
    """Row 57: with a context of the application's own."""
    url = f"https://127.0.0.1:{encrypted.port}"
    async with loop.connect(url, ssl_context=tls.client, **way) as socket:
        await speak(socket)


@on_every_loop
async def test_a_certificate_of_nobody(loop: Loop, encrypted: Host) -> None:
    """With the default context it is not trusted; the error says so, and nothing is left."""
    with pytest.raises(TransportError, match="certificate"):
        async with loop.connect(f"https://127.0.0.1:{encrypted.port}"):
            raise AssertionError("it was trusted")


@on_every_loop
async def test_a_server_without_tls(
    loop: Loop, our_server: ServerProgram, way: dict[str, Any]
) -> None:
    with pytest.raises(TransportError):
        async with loop.connect(f"https://127.0.0.1:{our_server.port}", **way):
            raise AssertionError("it has no TLS")


@on_every_loop
async def test_a_proxy_of_http(
    loop: Loop, encrypted: Host, our_server: ServerProgram, tls: Contexts, way: dict[str, Any]
) -> None:
    """Every connection goes through it, TLS inside the tunnel or not."""
    with Proxy() as proxy:
        options = {"proxy": f"http://me:word@127.0.0.1:{proxy.port}", **way}
        async with loop.connect(our_server.url, **options) as socket:
            assert await socket.call("acknowledge", 1, timeout=10) == 1
        plain = len(proxy.heads)
        url = f"https://127.0.0.1:{encrypted.port}"
        async with loop.connect(url, ssl_context=tls.client, **options) as socket:
            await speak(socket)
        assert 0 < plain < len(proxy.heads)
        for head in proxy.heads:
            assert head.startswith("CONNECT 127.0.0.1:")
            assert "\r\nProxy-Authorization: Basic bWU6d29yZA==\r\n" in head


@on_every_loop
async def test_a_proxy_that_refuses(
    loop: Loop, our_server: ServerProgram, way: dict[str, Any]
) -> None:
    with (
        Proxy("407 Proxy Authentication Required") as proxy,
        pytest.raises(TransportError, match="got 407") as caught,
    ):
        async with loop.connect(our_server.url, proxy=f"127.0.0.1:{proxy.port}", **way):
            raise AssertionError("it was let through")
    cause = caught.value.context
    assert isinstance(cause, TransportError)
    assert (cause.message, cause.status) == ("proxy error", 407)


@on_every_loop
async def test_a_proxy_of_socks(loop: Loop, our_server: ServerProgram, way: dict[str, Any]) -> None:
    """With `socks5h` it is the proxy that looks the name up."""
    url = f"http://localhost:{our_server.port}"
    for scheme, host in (("socks5h", "localhost"), ("socks5", "127.0.0.1")):
        with SocksProxy("word") as proxy:
            options = {"proxy": f"{scheme}://me:word@127.0.0.1:{proxy.port}", **way}
            async with loop.connect(url, **options) as socket:
                assert await socket.call("acknowledge", 1, timeout=10) == 1
            assert set(proxy.asked) == {host}
    with SocksProxy("another") as proxy, pytest.raises(TransportError):
        async with loop.connect(url, proxy=f"socks5://me:word@127.0.0.1:{proxy.port}"):
            raise AssertionError("it was let through")


@on_every_loop
async def test_an_attempt_takes_so_long(loop: Loop, way: dict[str, Any]) -> None:
    """Row 160: a server that accepts and says nothing, plainly, with TLS, and as a proxy."""
    with sockets.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        for url, options in (
            (f"http://{address}", {}),
            (f"https://{address}", {}),
            ("http://server.invalid", {"proxy": address}),
        ):
            with pytest.raises(TransportError, match="no connection within"):
                async with loop.connect(url, timeout=0.1, close_timeout=0.1, **options, **way):
                    raise AssertionError("nobody spoke")


@on_every_loop
async def test_a_name(loop: Loop, our_server: ServerProgram, way: dict[str, Any]) -> None:
    """It is looked up; "localhost" may have an address of version 6 too, where nobody listens."""
    async with loop.connect(f"http://localhost:{our_server.port}", **way) as socket:
        assert await socket.call("acknowledge", 1, timeout=10) == 1


@contextmanager
def full(host: str = "127.0.0.1", port: int = 0) -> Generator[int]:
    """A port whose listener takes nobody more: who connects to it waits for an answer."""
    with ExitStack() as opened:
        listener = opened.enter_context(sockets.create_server((host, port), backlog=0))
        address = listener.getsockname()
        for _ in range(4):
            waiting = opened.enter_context(sockets.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        yield address[1]


def dials(port: int) -> int:
    """How many connections to a port are asked for, and have no answer."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return sum(line[2].endswith(f":{port:04X}") and line[3] == "02" for line in lines)


@on_every_loop
async def test_a_dial_ends_with_its_attempt(loop: Loop, way: dict[str, Any]) -> None:
    """The connection that nobody waits for any more is not asked for any longer."""
    with full() as port:
        before = dials(port)
        async with loop.client(f"http://127.0.0.1:{port}", timeout=0.3, **way) as client:
            with pytest.raises(TransportError, match="no connection within"):
                await client.connect()
            for _ in range(50):
                await loop.turn()
            assert dials(port) == before


@on_every_loop
async def test_the_first_of_two_addresses_is_silent(
    loop: Loop, our_server: ServerProgram, way: dict[str, Any]
) -> None:
    """RFC 8305: the second is tried long before the first has failed."""
    loop.resolve("127.0.0.2", "127.0.0.1")
    with full("127.0.0.2", our_server.port):
        url = f"http://server.test:{our_server.port}"
        async with loop.connect(url, timeout=10, **way) as socket:
            assert await socket.call("acknowledge", 1, timeout=10) == 1


@on_every_loop
async def test_the_first_of_two_addresses_of_a_proxy_is_silent(
    loop: Loop, our_server: ServerProgram
) -> None:
    loop.resolve("127.0.0.2", "127.0.0.1")
    with Proxy() as proxy, full("127.0.0.2", proxy.port):
        options = {"proxy": f"http://proxy.test:{proxy.port}", "timeout": 10}
        async with loop.connect(our_server.url, **options) as socket:
            assert await socket.call("acknowledge", 1, timeout=10) == 1


@on_every_loop
async def test_the_first_of_two_addresses_refuses(
    loop: Loop, our_server: ServerProgram, way: dict[str, Any]
) -> None:
    """RFC 8305: the second is tried at once."""
    loop.resolve("127.0.0.2", "127.0.0.1")
    async with loop.connect(f"http://server.test:{our_server.port}", **way) as socket:
        assert await socket.call("acknowledge", 1, timeout=10) == 1


@on_every_loop
async def test_no_address_answers(loop: Loop, way: dict[str, Any]) -> None:
    """Row 160: what was tried at once is given up at once; nothing is left open."""
    loop.resolve("127.0.0.2", "127.0.0.2")
    with full("127.0.0.2") as port, pytest.raises(TransportError, match="no connection within"):
        async with loop.connect(f"http://server.test:{port}", timeout=0.5, **way):
            raise AssertionError("nobody answers")


@on_every_loop
async def test_every_address_refuses(loop: Loop, way: dict[str, Any]) -> None:
    with sockets.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    loop.resolve("127.0.0.1", "127.0.0.2")
    with pytest.raises(TransportError) as caught:
        async with loop.connect(f"http://server.test:{port}", **way):
            raise AssertionError("nobody is there")
    assert isinstance(caught.value.context, OSError)


@on_every_loop
async def test_a_name_that_nobody_has(loop: Loop) -> None:
    with pytest.raises(TransportError) as caught:
        async with loop.connect("http://server.invalid"):
            raise AssertionError("there is no such server")
    assert isinstance(caught.value.context, OSError)

"""The servers and the clients of the tests in this folder.

A test of npm's client asks for `play` and names a scenario. It runs against our server and
against the reference, so that what it expects is known to be the real behaviour, and over
each choice of transports. A test of conformance asks for `http`, `polling` or `websocket`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
from interop.peers import Address, Http, Polling, WebSocket
from interop.programs import HERE, SERVERS, Client, Program, Server, node


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """npm's socket.io-client, for all scenarios."""
    client = Client(node(HERE / "client.mjs"), tmp_path_factory.mktemp("client") / "stderr")
    yield client
    client.stop()


@pytest.fixture(scope="session", params=["reference", "trio", "asyncio", "uvloop"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that offers what the scenarios ask for: npm's, or ours."""
    if request.param == "reference":
        command = node(HERE / "reference_server.mjs")
    else:
        command = [sys.executable, str(SERVERS / "interop.py"), "--backend", request.param]
    server = Server(command, tmp_path_factory.mktemp(request.param) / "stderr")
    yield server
    server.stop()
    complaints = server.complaints()
    expected = complaints.count("\nRuntimeError: a handler that fails")
    assert complaints.count("Traceback") == expected, complaints


@pytest.fixture(params=["polling", "websocket", "upgrade"])
def transports(request: pytest.FixtureRequest) -> str:
    """Polling alone, WebSocket alone, or polling that is upgraded."""
    choice: str = request.param
    return choice


@pytest.fixture
def setup() -> str:
    """How client and server are set up: "json", "msgpack", or "heartbeat" for quick pings."""
    return "json"


@pytest.fixture
def play(
    client: Client, server: Server, transports: str, setup: str
) -> Callable[[str], list[object]]:
    """Play a scenario of `scenarios/` and return what it saw."""
    for program in (client, server):
        if not program.runs:  # it broke in another test, which has failed for that
            program.restart()

    def play(scenario: str) -> list[object]:
        return client.run(server, scenario, transports, setup)

    return play


@pytest.fixture(scope="session", params=["trio", "asyncio"])
def backend(request: pytest.FixtureRequest) -> str:
    """The backend whose conformance is tested."""
    name: str = request.param
    return name


@pytest.fixture(scope="session", params=["engine", "socket"])
def shape(request: pytest.FixtureRequest) -> str:
    """Engine.IO alone, or Socket.IO."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def address(
    backend: str, shape: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Address]:
    """A server for the conformance tests, with the short heartbeat of the published suites."""
    command = [sys.executable, str(SERVERS / "conformance.py")]
    command += ["--backend", backend, "--shape", shape]
    program = Program(command, tmp_path_factory.mktemp(shape) / "stderr")
    port = int(program.line().removeprefix("READY "))
    yield Address(port, f"/{shape}.io/")
    program.stop()
    assert program.complaints() == ""


@pytest.fixture
def http(address: Address) -> Iterator[Http]:
    """A connection for HTTP requests."""
    with closing(Http(address)) as connection:
        yield connection


@pytest.fixture
def polling(address: Address) -> Iterator[Polling]:
    """A session by long-polling."""
    with closing(Polling(address)) as session:
        yield session


@pytest.fixture
def connect(address: Address) -> Iterator[Callable[..., WebSocket]]:
    """Opens WebSockets, with parameters for their query."""
    with ExitStack() as opened:

        def connect(**query: str) -> WebSocket:
            target = address.target(**{"transport": "websocket", **query})
            return opened.enter_context(closing(WebSocket(address, target)))

        yield connect


@pytest.fixture
def websocket(connect: Callable[..., WebSocket]) -> WebSocket:
    """A session by WebSocket, after its handshake."""
    websocket = connect()
    assert websocket.accepted
    assert str(websocket.receive()).startswith("0")
    return websocket

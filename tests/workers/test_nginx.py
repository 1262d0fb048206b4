"""The configuration of nginx in docs/guides/many-cores.md, with a real nginx."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from workers.program import PATIENCE, Clients, Served, discard, serve

GUIDE: Final = Path(__file__).parents[2] / "docs" / "guides" / "many-cores.md"
BLOCK: Final = re.compile(r"^```nginx\n(.*?)^```$", re.DOTALL | re.MULTILINE)

AROUND: Final = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{}}
http {{
access_log off;
client_body_temp_path {folder}/body;
proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/fastcgi;
uwsgi_temp_path {folder}/uwsgi;
scgi_temp_path {folder}/scgi;
{configuration}
}}
"""


@dataclass(frozen=True)
class Proxy:
    """An nginx that listens."""

    port: int

    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def nginx(folder: Path, configuration: str) -> Generator[Proxy]:
    """Run nginx with a configuration that says 8080, on a free port."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("nginx is not installed: `make test` installs it where it may")
    port = free_port()
    file = folder / "nginx.conf"
    configuration = configuration.replace("listen 8080;", f"listen 127.0.0.1:{port};")
    file.write_text(AROUND.format(folder=folder, configuration=configuration))
    log = folder / "error.log"
    process = subprocess.Popen([program, "-e", str(log), "-p", str(folder), "-c", str(file)])
    try:
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < deadline:
            with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.02)
        assert process.poll() is None, log.read_text()
        yield Proxy(port)
    finally:
        process.terminate()
        process.wait(PATIENCE)
    assert log.read_text() == ""


@pytest.fixture
def separate(tmp_path: Path) -> Iterator[list[Served]]:
    """Two servers that do not know of each other."""
    found: list[Served] = []
    with ExitStack() as stack:
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            found.append(serve(tmp_path / name, "echo:on_asyncio"))
            stack.callback(discard, found[-1])
        yield found


def blocks() -> tuple[str, str]:
    """The two blocks of the guide: all of it, and another upstream."""
    whole, upstream = BLOCK.findall(GUIDE.read_text())
    return whole, upstream


def once(proxy: Proxy, transports: str) -> int:
    """Let twenty clients come through it; returns how many processes they have met."""
    with closing(Clients(proxy, 20, transports, "once")) as clients:
        told = clients.told()
    assert told["wrong"] == []
    assert sum(told["processes"].values()) == 20
    return len(told["processes"])


@pytest.mark.parametrize("transports", ["polling", "upgrade", "websocket"])
def test_workers_behind_nginx(own: Served, tmp_path: Path, transports: str) -> None:
    """Its connections are kept alive and used for any client: each request finds its worker."""
    whole, _ = blocks()
    with nginx(tmp_path, whole.replace("127.0.0.1:3000", f"127.0.0.1:{own.port}")) as proxy:
        assert once(proxy, transports) == 2


@pytest.mark.parametrize("transports", ["polling", "upgrade", "websocket"])
def test_separate_servers_behind_nginx(
    separate: list[Served], tmp_path: Path, transports: str
) -> None:
    """By its address a client comes to the same one each time; here all have one address."""
    whole, upstream = blocks()
    rest = whole[whole.index("map ") :]
    for number, served in enumerate(separate, 1):
        upstream = upstream.replace(f"10.0.0.{number}:3000", f"127.0.0.1:{served.port}")
    with nginx(tmp_path, upstream + rest) as proxy:
        assert once(proxy, transports) == 1

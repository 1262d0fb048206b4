"""Workers that die, that are ended, and that cannot begin."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import trustme
from workers.program import (
    PATIENCE,
    SERVERS,
    Clients,
    Http,
    Served,
    clients_once,
    discard,
    end,
    serve,
    wait_until_gone,
)

from sansocket.workers import CertificateError, WorkerFailed, serve_workers
from sansocket.workers.supervisor import hold_port


@pytest.fixture
def staying(own: Served) -> Iterator[Clients]:
    """Twenty clients that stay."""
    with closing(Clients(own, 20, "upgrade", "stay")) as clients:
        yield clients


def test_a_worker_that_dies_is_replaced(own: Served, staying: Clients) -> None:
    """Its clients come back, those of the others notice nothing, and nothing of it is left."""
    before = own.workers()
    assert set(staying.told()["processes"]) == before
    dead = min(before)
    os.kill(dead, signal.SIGKILL)
    told = staying.ask(str(dead))
    assert {process for process, _ in told["wrong"]} == {dead}
    assert {reason for _, reason in told["wrong"]} <= {"transport close", "transport error"}
    served: set[int] = set()
    while not served - before:
        served |= {int(process) for process in clients_once(own, 20, "polling")["processes"]}
    (folder,) = own.temporary.iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["2", "3"]
    assert "exit code -9" in own.complaints()
    end(own)


def test_a_worker_that_is_told_to_end_is_replaced_too(own: Served, staying: Clients) -> None:
    """One by one they can be restarted: its clients are told, and come back."""
    before = own.workers()
    staying.told()
    old = min(before)
    os.kill(old, signal.SIGTERM)
    told = staying.ask(str(old))
    assert {process for process, _ in told["wrong"]} == {old}
    served: set[int] = set()
    while not served - before:
        served |= {int(process) for process in clients_once(own, 20, "upgrade")["processes"]}
    assert "exit code 0" in own.complaints()
    end(own)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_is_told_to_all(own: Served, staying: Clients, number: signal.Signals) -> None:
    """Every client hears of it, and no process and no file is left."""
    workers = own.workers()
    staying.told()
    staying.finish()
    assert own.tell(number) == 0
    told = staying.told()
    assert len(told["wrong"]) == 20
    # Closed, not cut off: the reference's client calls the end of a connection so, and an error
    # what a request of its own finds that crossed it.
    assert {reason for _, reason in told["wrong"]} <= {"transport close", "transport error"}
    wait_until_gone(workers)
    assert not list(own.temporary.iterdir())
    assert own.complaints() == ""


def test_ctrl_c_in_a_terminal_comes_to_all(own: Served) -> None:
    """The workers leave it to the supervisor what that means."""
    for process in own.workers():
        os.kill(process, signal.SIGINT)
    assert own.tell(signal.SIGINT) == 0
    assert own.complaints() == ""


def test_workers_do_not_outlive_their_supervisor(own: Served, staying: Clients) -> None:
    """Killed, it cannot end them: they see it, and clean up behind themselves."""
    workers = own.workers()
    (folder,) = own.temporary.iterdir()
    staying.told()
    own.process.kill()
    own.process.wait()
    wait_until_gone(workers, folder)


def test_tls(tmp_path: Path) -> None:
    """A connection that is encrypted cannot go to another worker, but what it carries can."""
    certificate = tmp_path / "certificate.pem"
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    served = serve(tmp_path, "echo:on_asyncio", "--workers", "2", "--certificate", str(certificate))
    try:
        for transports in ("polling", "upgrade", "websocket"):
            told = clients_once(served, 10, transports)
            assert told["wrong"] == []
        end(served)
    finally:
        discard(served)
    assert served.complaints() == ""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `sansocket serve` until it ends by itself."""
    command = [sys.executable, "-m", "sansocket", "serve", *arguments]
    return subprocess.run(
        command, cwd=SERVERS, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    ("application", "complaint"),
    [
        ("echo:missing", "'echo' has no attribute 'missing'"),
        ("missing:io", "there is no module 'missing'"),
        ("echo:nothing", "echo:nothing is no server of sansocket, but a builtins.object"),
    ],
)
def test_an_application_that_is_not_there(workers: str, application: str, complaint: str) -> None:
    """One line says what is wrong with the name."""
    done = run(application, "--port", "0", "--workers", workers)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"sansocket: {complaint}\n"


def test_an_application_that_fails(tmp_path: Path) -> None:
    """Its own trouble is shown whole, and all workers end."""
    done = run("echo:fails", "--port", "0", "--workers", "2")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" in done.stderr
    assert done.stderr.endswith("sansocket: RuntimeError: no luck today\n")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_taken_port(workers: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = str(taken.getsockname()[1])
        done = run("echo:trio_server", "--port", number, "--workers", workers)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"sansocket: cannot listen on 127.0.0.1, port {number}: ")
    assert done.stderr.count("\n") == 1


def test_a_port_that_other_workers_share(own: Served) -> None:
    """Without a look it would be shared with them, and half of the clients go astray."""
    done = run("echo:trio_server", "--port", str(own.port), "--workers", "2")
    assert done.returncode == 1
    assert "cannot listen" in done.stderr


def test_one_worker_needs_no_supervisor(tmp_path: Path) -> None:
    """Nothing of all this is there then: ids end with no name."""
    served = serve(tmp_path, "echo:on_trio")
    with closing(Http(served.port)) as connection:
        assert "." not in connection.handshake()
    assert served.workers() == set()
    assert clients_once(served, 5, "upgrade")["wrong"] == []
    end(served)


def test_wrong_arguments(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="positive"):
        serve_workers("echo:on_trio", workers=0)
    with pytest.raises(CertificateError, match="no certificate"):
        serve_workers("echo:on_trio", workers=1, certificate=str(tmp_path / "none"))
    with pytest.raises(WorkerFailed, match="module:attribute"):
        serve_workers("echo", port=0, workers=1)


def test_a_port_is_held_for_every_address() -> None:
    """With port 0 the first address has the choice, and the others have to follow."""
    with hold_port("localhost", 0) as bound:
        assert len({port for _, port in bound.addresses}) == 1
        assert bound.port > 0

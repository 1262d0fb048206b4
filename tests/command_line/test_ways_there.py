"""How `sansocket connect` and `emit` reach a server: TLS, proxies, and its wire format."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trustme
from command_line.clients import EchoServer, objects, run
from support.proxy import Proxy
from support.socks_proxy import SocksProxy

from sansocket.command_line import main, target
from sansocket.command_line.line_grammar import shortened


@pytest.fixture(scope="module")
def plain() -> Iterator[EchoServer]:
    """A server without TLS."""
    server = EchoServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> trustme.CA:
    """One that nobody trusts unless told."""
    return trustme.CA()


@pytest.fixture(scope="module")
def trusted(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `--ca` is told."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture(scope="module")
def encrypted(
    authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EchoServer]:
    """A server with a certificate for 127.0.0.1."""
    path = tmp_path_factory.mktemp("server") / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(path)
    server = EchoServer(certificate=path)
    server.start()
    yield server
    server.stop()


def complaint(*arguments: str, code: int = 3) -> str:
    """What `emit` says when it fails, in one line, with nothing from inside."""
    done = run("emit", *arguments, "echo", "1", check=code)
    assert done.stdout == ""
    assert done.stderr.startswith("sansocket: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_whom_to_trust(encrypted: EchoServer, trusted: str, transport: str) -> None:
    for option in (("--ca", trusted), ("--insecure",)):
        done = run("emit", *option, "--transport", transport, encrypted.url, "echo", "1")
        assert (done.stdout, done.stderr) == ("1\n", "")


def test_connect_by_tls(encrypted: EchoServer, trusted: str) -> None:
    """Over the upgrade, too."""
    options = ("--ca", trusted, "--json", "--once")
    done = run("connect", encrypted.url, *options, stdin='{"event": "seen", "ack": true}\n')
    assert [line["type"] for line in objects(done.stdout)][:3] == ["connect", "sent", "ack"]
    assert done.stderr == ""


def test_a_certificate_that_is_not_trusted(encrypted: EchoServer, trusted: str) -> None:
    verdict = "TLS: certificate verify failed: unable to get local issuer certificate\n"
    assert complaint(encrypted.url).endswith(f": {verdict}")
    done = run("connect", encrypted.url, stdin="", check=3)
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
    assert "certificate verify failed" in done.stderr
    other = encrypted.url.replace("127.0.0.1", "localhost")
    assert "Hostname mismatch" in complaint("--ca", trusted, other)


def test_tls_at_one_end_alone(plain: EchoServer, encrypted: EchoServer) -> None:
    assert ": TLS: wrong version number\n" in complaint(plain.url.replace("http:", "https:"))
    assert "closed" in complaint(encrypted.url.replace("https:", "http:"))


def test_a_file_that_is_no_certificate(plain: EchoServer) -> None:
    said = complaint("--ca", __file__, plain.url, code=2)
    assert said.startswith(f"sansocket: --ca: cannot read {shortened(__file__)}: ")


def test_a_proxy_of_http(plain: EchoServer, encrypted: EchoServer, trusted: str) -> None:
    with Proxy() as proxy:
        options = ("--proxy", f"http://me:word@127.0.0.1:{proxy.port}", "--ca", trusted)
        for server in (plain, encrypted):
            before = len(proxy.heads)
            assert run("emit", *options, server.url, "echo", "1").stdout == "1\n"
            assert len(proxy.heads) > before
        assert all("\r\nProxy-Authorization: Basic " in head for head in proxy.heads)


def test_a_proxy_of_socks(plain: EchoServer) -> None:
    url = plain.url.replace("127.0.0.1", "localhost")
    with SocksProxy("word") as proxy:
        options = ("--proxy", f"socks5h://me:word@127.0.0.1:{proxy.port}")
        done = run("connect", url, *options, "--json", "--once", stdin='{"event": "echo"}\n')
        assert "echo back" in done.stdout
        assert set(proxy.asked) == {"localhost"}


def test_a_proxy_that_refuses(plain: EchoServer) -> None:
    with Proxy("407 Proxy Authentication Required") as proxy:
        said = complaint("--proxy", f"127.0.0.1:{proxy.port}", plain.url)
    assert ": proxy error: expected 200 to CONNECT, got 407 'Proxy Authentication Required'" in said
    refused = ": connection refused: nobody listens there\n"
    assert complaint("--proxy", "http://127.0.0.1:9", plain.url).endswith(refused)
    # It speaks no SOCKS.
    address = plain.url.removeprefix("http://")
    assert "SOCKS" in complaint("--proxy", f"socks5://{address}", plain.url)


def test_socks_needs_an_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(target, "find_spec", lambda name: None)
    assert main(["emit", "--proxy", "socks5://x", "http://127.0.0.1:9", "echo"]) == 2
    said = capsys.readouterr().err
    assert said == (
        "sansocket: --proxy: SOCKS needs one more library: pip install 'sansocket[socks]'\n"
    )


def test_what_is_no_proxy(capsys: pytest.CaptureFixture[str]) -> None:
    """A word that it may have in it is not shown."""
    assert main(["emit", "--proxy", "ftp://me:word@x", "http://127.0.0.1:9", "echo"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("sansocket: --proxy: expected scheme://user:password@host:port with one")
    assert "me:word" not in said


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_the_wire_format(plain: EchoServer, transport: str) -> None:
    server = EchoServer("packed")
    server.start()
    try:
        options = ("--parser", "msgpack", "--transport", transport)
        done = run("emit", *options, server.url, "echo", '{"a": null}', "b64:AQID")
        assert done.stdout == '{"a": null}\n{"$base64": "AQID"}\n'
        # Neither end knows what the other speaks: one of them breaks off.
        lost = {
            "polling": "the connection was lost before the CONNECT was answered",
            "websocket": "the server has closed the connection",
        }[transport]
        assert lost in complaint("--transport", transport, server.url)
        assert lost in complaint(*options, plain.url)
    finally:
        server.stop()

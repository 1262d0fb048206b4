"""TLS without a network: asyncio_backend/tls.py against a client of the standard library."""

from __future__ import annotations

import ssl
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.asyncio_client import HOST
from support.tls import Contexts, make_contexts

from sansocket.asyncio_backend.tls import Tls

CONTEXTS = make_contexts(HOST)


class Client:
    """The other side, and the bytes on the way to it."""

    def __init__(self, contexts: Contexts) -> None:
        assert contexts.client is not None
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = contexts.client.wrap_bio(self.incoming, self.outgoing, server_hostname=HOST)

    def shake_hands(self, tls: Tls) -> None:
        """Until there is nothing more to say."""
        for _ in range(3):
            with suppress(ssl.SSLWantReadError):
                self.object.do_handshake()
            assert tls.receive_data(self.outgoing.read()) == b""
            self.incoming.write(tls.data_to_send())

    def sends(self, data: bytes) -> bytes:
        """What it sends to say this."""
        self.object.write(data)
        return self.outgoing.read()

    def ends(self) -> bytes:
        """What it sends to say that nothing more comes."""
        with suppress(ssl.SSLWantReadError):
            self.object.unwrap()
        return self.outgoing.read()

    def reads(self, data: bytes) -> bytes:
        """What this means."""
        self.incoming.write(data)
        plain = b""
        with suppress(ssl.SSLWantReadError):
            while piece := self.object.read(65_536):
                plain += piece
        return plain


def established() -> tuple[Tls, Client]:
    """Both sides, their handshake done."""
    assert CONTEXTS.server is not None
    tls, client = Tls(CONTEXTS.server), Client(CONTEXTS)
    client.shake_hands(tls)
    return tls, client


@pytest.mark.parametrize("size", [0, 1, 16_384, 16_385, 1_000_000])
def test_both_ways(size: int) -> None:
    """Whatever its size, and in how many records it goes."""
    tls, client = established()
    data = bytes(size)
    assert tls.receive_data(client.sends(data)) == data
    tls.send(data)
    assert client.reads(tls.data_to_send()) == data
    assert tls.data_to_send() == b""
    assert not tls.ended


def test_byte_by_byte() -> None:
    """Every split of a handshake, and of the records behind it."""
    assert CONTEXTS.server is not None
    tls, client = Tls(CONTEXTS.server), Client(CONTEXTS)
    for _ in range(3):
        with suppress(ssl.SSLWantReadError):
            client.object.do_handshake()
        for byte in client.outgoing.read():
            assert tls.receive_data(bytes([byte])) == b""
        client.incoming.write(tls.data_to_send())
    sent = client.sends(b"first") + client.sends(b"second")
    assert b"".join(tls.receive_data(bytes([byte])) for byte in sent) == b"firstsecond"


def test_data_behind_the_handshake() -> None:
    """A client may send its request with the last of the handshake."""
    assert CONTEXTS.server is not None
    tls, client = Tls(CONTEXTS.server), Client(CONTEXTS)
    with suppress(ssl.SSLWantReadError):
        client.object.do_handshake()
    tls.receive_data(client.outgoing.read())
    client.incoming.write(tls.data_to_send())
    client.object.do_handshake()
    assert tls.receive_data(client.sends(b"GET")) == b"GET"


def test_the_peer_ends() -> None:
    """What came before it is delivered, and what is still to be sent can be."""
    tls, client = established()
    assert tls.receive_data(client.sends(b"last") + client.ends()) == b"last"
    assert tls.ended
    tls.send(b"answer")
    tls.send_end()
    assert tls.data_to_send() != b""


def test_we_end() -> None:
    """The client is told; twice does no harm."""
    tls, client = established()
    tls.send_end()
    client.incoming.write(tls.data_to_send())
    assert client.object.read(1) == b""
    tls.send_end()


def test_an_end_without_a_beginning() -> None:
    """There is nobody to say it to, and nothing to say."""
    assert CONTEXTS.server is not None
    Tls(CONTEXTS.server).send_end()


def test_an_alert() -> None:
    """Who speaks something else is told that it is no TLS."""
    assert CONTEXTS.server is not None
    tls = Tls(CONTEXTS.server)
    with pytest.raises(ssl.SSLError):
        tls.receive_data(b"GET / HTTP/1.1\r\n\r\n")
    assert tls.data_to_send()[:1] in (b"", b"\x15")


@given(st.binary())
def test_garbage(data: bytes) -> None:
    """Before a handshake: ssl.SSLError, or nothing."""
    assert CONTEXTS.server is not None
    with suppress(ssl.SSLError):
        assert Tls(CONTEXTS.server).receive_data(data) == b""


@given(st.binary())
def test_garbage_behind_a_handshake(data: bytes) -> None:
    """Nothing that was not encrypted by the client is ever taken for what it said."""
    tls, _ = established()
    with suppress(ssl.SSLError):
        assert tls.receive_data(data) == b""


def test_a_context_that_is_no_servers() -> None:
    assert CONTEXTS.client is not None
    with pytest.raises(ssl.SSLError):
        Tls(CONTEXTS.client)

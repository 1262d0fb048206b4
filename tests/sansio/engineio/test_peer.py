"""The other end of a connection as a value."""

from __future__ import annotations

import pytest

from sansocket.sansio.engineio.peer import Peer


def test_unknown() -> None:
    """A driver that knows nothing of it says nothing, and certainly not that it is secure."""
    peer = Peer()
    assert (peer.address, peer.secure, peer.since, peer.home) == ("", False, 0.0, None)
    assert peer == Peer()
    assert peer != Peer("192.0.2.1")


def test_it_cannot_be_changed() -> None:
    peer = Peer()
    for field in ("address", "secure", "since", "home"):
        with pytest.raises(AttributeError):
            setattr(peer, field, None)

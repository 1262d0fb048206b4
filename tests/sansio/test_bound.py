"""What a server says of where it listens."""

from __future__ import annotations

from sansocket.sansio.bound import Bound


def test_the_first_address() -> None:
    bound = Bound((("127.0.0.1", 3000), ("::1", 3001)))
    assert (bound.host, bound.port) == ("127.0.0.1", 3000)
    assert bound.addresses == (("127.0.0.1", 3000), ("::1", 3001))


def test_is_a_value() -> None:
    bound, same = Bound((("h", 1),)), Bound((("h", 1),))
    assert bound == same
    assert hash(bound) == hash(same)

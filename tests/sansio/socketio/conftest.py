"""What the tests of both parsers share: any valid packet, as `st.from_type(Packet)`."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from sansocket.sansio.socketio.packet import MAX_ID, RESERVED, Packet, Type

texts = st.text(max_size=40)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
# An object that looks like a placeholder is refused beside binary data.
keys = texts.filter(lambda key: key != "_placeholder")
leaves = st.none() | st.booleans() | numbers | texts


def trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Nest `leaves` in lists and objects."""
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=20) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=10,
    )


objects = st.dictionaries(keys, trees(leaves), max_size=4)
arguments = st.lists(trees(leaves | st.binary(max_size=300)), max_size=4)
names = texts.filter(lambda name: name not in RESERVED) | numbers
events = st.tuples(names, arguments).map(lambda parts: [parts[0], *parts[1]])
namespaces = st.just("/") | texts.map(lambda name: "/" + name.replace(",", ""))
ids = st.integers(0, MAX_ID)

st.register_type_strategy(
    Packet,
    st.one_of(
        st.builds(Packet, st.just(Type.CONNECT), namespaces, st.none() | objects),
        st.builds(Packet, st.just(Type.DISCONNECT), namespaces),
        st.builds(Packet, st.just(Type.EVENT), namespaces, events, st.none() | ids),
        st.builds(Packet, st.just(Type.ACK), namespaces, arguments, ids),
        st.builds(Packet, st.just(Type.CONNECT_ERROR), namespaces, objects | texts),
    ),
)

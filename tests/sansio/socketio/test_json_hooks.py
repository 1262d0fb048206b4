"""Values of the application's own in JSON: feature 204, a replacer and a reviver."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.socketio_client import SocketIOClient, assert_gone, connected

from sansocket.sansio.errors import LocalProtocolError, RemoteProtocolError
from sansocket.sansio.socketio.json import MAX_DEPTH
from sansocket.sansio.socketio.json_decoder import JsonDecoder
from sansocket.sansio.socketio.json_hooks import revived
from sansocket.sansio.socketio.packet import Packet, Type
from sansocket.sansio.socketio.parser import JsonParser
from sansocket.sansio.socketio.socket import Socket


def default(value: object) -> object:
    """A Decimal as an object, a set as a list."""
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, set):
        return sorted(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    raise TypeError("not known")


def revive(value: dict[str, Any]) -> object:
    """The way back."""
    return Decimal(value["$decimal"]) if "$decimal" in value else value


PARSER = JsonParser(default=default, revive=revive)


def there_and_back(data: list[Any]) -> Any:
    """What a decoder makes of what the parser writes."""
    decoder = PARSER.decoder()
    packets = [decoder.feed(frame) for frame in PARSER.encode(Packet(Type.ACK, "/", data, 1))]
    assert packets[:-1] == [None] * (len(packets) - 1)
    packet = packets[-1]
    assert packet is not None
    return packet.data


leaves = st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=5)
own = st.decimals(allow_nan=False, allow_infinity=False, places=2)
keys = st.text(max_size=5).filter(lambda key: key not in ("_placeholder", "$decimal"))
values = st.recursive(
    leaves | own | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(values, max_size=3))
def test_there_and_back(data: list[Any]) -> None:
    """At every depth, in keys and lists, beside binary data, and in the slow writer too."""
    assert there_and_back(data) == data
    assert there_and_back([*data, {"x": -0.0}, "\ud800"]) == [*data, {"x": 0}, "\ud800"]


def test_binary_within_what_is_written() -> None:
    """`default` may give something that holds binary data, and more that it is asked about."""
    parser = JsonParser(
        default=lambda value: (
            {"parts": [b"\x01", {"more": Decimal(1)}]}
            if (isinstance(value, set))
            else default(value)
        )
    )
    frames = parser.encode(Packet(Type.EVENT, "/", ["x", {1, 2}]))
    assert frames == [
        '51-["x",{"parts":[{"_placeholder":true,"num":0},{"more":{"$decimal":"1"}}]}]',
        b"\x01",
    ]


def test_innermost_first_and_bytes_in_their_places() -> None:
    seen: list[Any] = []

    def note(value: dict[str, Any]) -> object:
        seen.append(dict(value))
        return tuple(value)

    decoder = JsonParser(revive=note).decoder()
    assert decoder.feed('51-["x",{"a":{"b":[{"_placeholder":true,"num":0}]}}]') is None
    packet = decoder.feed(b"\x01")
    assert packet is not None
    assert packet.data == ["x", ("a",)]
    assert seen == [{"b": [b"\x01"]}, {"a": ("b",)}]


def test_only_arguments_are_revived() -> None:
    """What a client gives to be let in is the protocol's: an object stays an object."""
    decoder = PARSER.decoder()
    packet = decoder.feed('0{"token":{"$decimal":"1"}}')
    assert packet is not None
    assert packet.data == {"token": {"$decimal": "1"}}


@pytest.mark.parametrize("value", [object(), {"deep": [object()]}], ids=str)
def test_what_default_does_not_know_is_the_callers_error(value: object) -> None:
    with pytest.raises(LocalProtocolError, match="JSON"):
        PARSER.encode(Packet(Type.EVENT, "/", ["x", value]))


def test_what_default_gives_is_bounded() -> None:
    """Security rule T2: no more levels than without it, and no recursion without end."""
    nested: Any = Decimal(1)
    for _ in range(MAX_DEPTH):
        nested = [nested]
    endless = JsonParser(default=lambda value: [value])
    for parser, data in ((PARSER, nested), (endless, object())):
        with pytest.raises(LocalProtocolError):
            parser.encode(Packet(Type.EVENT, "/", ["x", data]))


def test_a_forged_object_ends_the_connection() -> None:
    """Rules 44 and 95: whatever `revive` raises, it is the client's fault, and one error."""
    app, _, client, socket = connected(parser=PARSER)
    told: list[Any] = []
    app.on("x", lambda socket, value: told.append(value))
    app.on("disconnect", lambda socket, reason: told.append(reason))
    client.send('2["x",{"$decimal":"1.10"}]')
    socket.emit("y", Decimal("2.20"))
    assert client.take() == ['2["y",{"$decimal":"2.20"}]']
    client.send('2["x",[{"$decimal":"no number"}]]')
    assert told == [Decimal("1.10"), "parse error"]
    assert_gone(app, client)


def test_nothing_is_fed_after_it() -> None:
    """Security rule 20."""
    decoder = PARSER.decoder()
    for frame in ('2["x",{"$decimal":{}}]', '2["x"]'):
        with pytest.raises(RemoteProtocolError):
            decoder.feed(frame)


def test_as_deep_as_json_may_be() -> None:
    """It goes as deep as JSON may be, and no deeper."""
    value: Any = {"$decimal": "1"}
    for _ in range(MAX_DEPTH - 2):
        value = {"a": value}
    [found] = revived([value], revive)
    for _ in range(MAX_DEPTH - 2):
        found = found["a"]
    assert found == Decimal(1)


def test_wrong_functions_are_refused_at_once() -> None:
    async def waits(value: Any) -> object:
        return value

    wrong: list[Any] = [waits, lambda: None, 5]
    for function in wrong:
        with pytest.raises(TypeError):
            JsonParser(default=function)
        with pytest.raises(TypeError):
            JsonParser(revive=function)


def test_the_default_parser_pays_nothing() -> None:
    """Without `revive` its decoder is the plain one."""
    assert type(JsonParser(default=default).decoder()) is JsonDecoder


def test_answers_of_a_client_are_revived_too() -> None:
    app, driver, client, _ = connected(parser=PARSER)
    answers: list[Any] = []

    @app.on("ask")
    async def ask(socket: Socket) -> None:
        answers.append(await socket.call("question"))

    assert isinstance(client, SocketIOClient)
    client.send('2["ask"]')
    client.send('30[{"$decimal":"5"}]')
    driver.settle()
    assert answers == [Decimal(5)]

"""The short way that the default decoder reads most packets: the same as the long one."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from sansocket.sansio.errors import RemoteProtocolError
from sansocket.sansio.socketio.json_decoder import (
    JsonDecoder,
    read_short_event,
    read_short_question,
)
from sansocket.sansio.socketio.packet import EVENT, RESERVED, Packet


class LongWay(JsonDecoder):
    """A decoder that never takes the short way."""

    def feed(self, frame: str | bytes) -> Packet | None:
        self._ready = False
        return super().feed(frame)


def read(decoder: JsonDecoder, frame: str | bytes) -> Packet | str | None:
    """The packet, or what is wrong."""
    try:
        return decoder.feed(frame)
    except RemoteProtocolError as error:
        return str(error)


names = st.one_of(st.text(), st.sampled_from(sorted(RESERVED)), st.integers(), st.none())
values = st.recursive(st.none() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5)
digits = st.sampled_from(["", "", "0", "007", "9" * 15, "9" * 16, "1" * 17])
odd = st.sampled_from(["-1", "1 ", "\N{ARABIC-INDIC DIGIT ONE}", "\N{SUPERSCRIPT TWO}", "/,1"])
ids = digits | odd
events = st.tuples(ids, names, st.lists(values, max_size=3)).map(
    lambda e: f"2{e[0]}{dumps([e[1], *e[2]])}"
)
headers = st.sampled_from(['51-["a",{"_placeholder":true,"num":0}]', '50-["a"]', "2", "2[", "0"])
frames = st.one_of(events, st.text().map(lambda rest: "2[" + rest), headers, st.binary(max_size=9))


def dumps(value: Any) -> str:
    """JSON as some client writes it."""
    return json.dumps(value)


@given(st.lists(frames, max_size=4))
@example(["2[]"])
@example(['2["connect"]', '2["after"]'])
@example(["2[" * 200])
@example(['21["connect"]', '21["after"]'])
@example(['29007199254740991["a"]', '29007199254740992["a"]'])
@example(["21234567890[]", "21x[1]", "21"])
@example(['2["\\ud800"]', '2["a",1e400]'])
@example(["2" + "[" * 120 + '"a"' + "]" * 120])
def test_the_short_way_is_the_long_way(sent: list[str | bytes]) -> None:
    """Protocol rules 41 to 45: whatever comes, in whatever state."""
    short, long = JsonDecoder(), LongWay()
    for frame in sent:
        assert repr(read(short, frame)) == repr(read(long, frame))
        assert short.pending == long.pending


@given(frames.map(lambda frame: frame[:250]), st.sampled_from(["4", "4", "4", "3", ""]))
@example('29007199254740991["a"]', "4")
@example("2" + "[" * 120 + '"a"' + "]" * 120, "4")
@example('2["a",1e400]', "4")
def test_a_short_event_is_what_the_long_way_reads(frame: str | bytes, kind: str) -> None:
    """From the bytes of a WebSocket; what it does not read is judged by the long way."""
    text = kind.encode() + (frame if isinstance(frame, bytes) else utf8(frame))
    found: tuple[list[Any], int | None] | None = read_short_question(text)
    event = read_short_event(text)
    if event is not None:
        assert found is None
        found = event, None
    if found is not None:
        assert text[:1] == b"4"
        assert repr(Packet(EVENT, "/", *found)) == repr(read(LongWay(), text[1:].decode()))


@given(st.binary(max_size=30))
def test_what_is_no_text_is_no_short_event(rest: bytes) -> None:
    """orjson reads no bytes that are not UTF-8; so nobody has to look before."""
    text = b'42["' + rest + b'"]'
    if read_short_event(text) is not None:
        text.decode()


def utf8(text: str) -> bytes:
    """As in a frame, or as in none."""
    return text.encode("utf-8", "surrogatepass")

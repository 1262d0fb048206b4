"""The JSON parser (protocol rules 14, 41-54, 92; security rules T2, 3, T5, 14, T16-T19, 20)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sansocket.sansio.errors import LocalProtocolError, RemoteProtocolError
from sansocket.sansio.socketio.json_decoder import JsonDecoder, find_placeholders, read_header
from sansocket.sansio.socketio.packet import MAX_ID, RESERVED, Packet, Type
from sansocket.sansio.socketio.parser import JsonParser, Parser, encode, write_header

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = Type


def slot(index: object = 0) -> dict[str, object]:
    """Make what stands in the data for an attachment."""
    return {"_placeholder": True, "num": index}


SLOT = '{"_placeholder":true,"num":%s}'
SLOT0 = SLOT % 0

# A packet and its frames, both ways; the npm package writes the same.
TRANSCRIPTS: list[tuple[Packet, list[str | bytes]]] = [
    (Packet(CONNECT), ["0"]),
    (Packet(CONNECT, "/", {"token": "x"}), ['0{"token":"x"}']),
    (Packet(CONNECT, "/admin"), ["0/admin,"]),
    (Packet(CONNECT, "/admin", {"sid": "a,b"}), ['0/admin,{"sid":"a,b"}']),
    (Packet(DISCONNECT), ["1"]),
    (Packet(DISCONNECT, "/admin"), ["1/admin,"]),
    (Packet(EVENT, "/", ["hello", 1]), ['2["hello",1]']),
    (Packet(EVENT, "/", ["é\u2028", "😀"]), ['2["é\u2028","😀"]']),
    (Packet(EVENT, "/", ["\ud800"]), ['2["\\ud800"]']),
    (Packet(EVENT, "/", ["hello"], 0), ['20["hello"]']),
    (Packet(EVENT, "/admin", ["hello"], 12), ['2/admin,12["hello"]']),
    (Packet(EVENT, "/a?b=1", ["hello"]), ['2/a?b=1,["hello"]']),
    (Packet(EVENT, "/", [5, "number"], MAX_ID), [f'2{MAX_ID}[5,"number"]']),
    (Packet(ACK, "/", [], 0), ["30[]"]),
    (Packet(ACK, "/admin", [{"a": None}], 13), ['3/admin,13[{"a":null}]']),
    (Packet(CONNECT_ERROR, "/", {"message": "no"}), ['4{"message":"no"}']),
    (Packet(CONNECT_ERROR, "/x", "no"), ['4/x,"no"']),
    (Packet(EVENT, "/", ["a", b"\x01"]), [f'51-["a",{SLOT0}]', b"\x01"]),
    (Packet(EVENT, "/", ["a", b""]), [f'51-["a",{SLOT0}]', b""]),
    (
        Packet(EVENT, "/admin", ["a", {"b": [b"1", {"c": b"2"}]}, b"3"], 456),
        [
            f'53-/admin,456["a",{{"b":[{SLOT0},{{"c":{SLOT % 1}}}]}},{SLOT % 2}]',
            *(b"1", b"2", b"3"),
        ],
    ),
    (Packet(ACK, "/", [b"1"], 7), [f"61-7[{SLOT0}]", b"1"]),
]

# What a decoder takes, although no encoder writes it so.
READ_AS: list[tuple[str, Packet]] = [
    ("0/admin", Packet(CONNECT, "/admin")),  # rule 41: the comma at the end may be missing
    ("1/admin", Packet(DISCONNECT, "/admin")),
    ('0/admin{"a":1}', Packet(CONNECT, '/admin{"a":1}')),  # ... and the rest is namespace
    ("0/,", Packet(CONNECT)),
    ('2["a"' + ",1" * 1000 + "]", Packet(EVENT, "/", ["a", *[1] * 1000])),  # security rule T2
    ('2/,["a"]', Packet(EVENT, "/", ["a"])),
    ("3007[]", Packet(ACK, "/", [], 7)),
    ('2[ "a" ]\n', Packet(EVENT, "/", ["a"])),
    ('2["a","a",{"x":1,"x":2}]', Packet(EVENT, "/", ["a", "a", {"x": 2}])),
    (f'2["a",{SLOT0}]', Packet(EVENT, "/", ["a", slot()])),  # data, not an attachment
    (f'2["a",{2**64}]', Packet(EVENT, "/", ["a", 2.0**64])),
]

REFUSED = [
    # rule 14: a message without data
    "",
    # rules 15 and 42, security rule 18: the type is one ASCII digit
    *(
        " ",
        "\n",
        "7",
        "9",
        "a",
        "-1",
        "+2",
        "x0",
        '"2"',
        '\u0662["a"]',
        '\xb2["a"]',
        ' 2["a"]',
        "\x00",
    ),
    # rule 43: a payload that the type cannot have
    *("0[]", "0null", '0"x"', "0true", "0 {}", "0{", "0{}{}", "0/admin,[]"),
    *("1{}", "1[]", "1null", "1/admin,{}", "1 "),
    *("2", "2{}", "2[]", "2null", '2"a"', "2[null]", "2[true]", "2[[]]", '2[{"a":1}]'),
    *("2[NaN]", "2[1e400]", '2["a"', '2["a",]', '2["a"]]', '2["a"]x', "2[", "2/admin", "2/admin,"),
    *("3", "31", "3[]", "31{}", "31null", "3/admin,1", "31[", '31"x"'),
    *("4", "4[]", "4null", "45", "4{", '4"', "4/admin", "4abc"),
    '2/admin["x"]',  # rule 41: everything is the namespace
    # rule 45: ids
    *("01", "11", '21x["a"]', '2-1["a"]', '2+1["a"]', '21.5["a"]', '21e3["a"]', '20x1["a"]'),
    *('2 ["a"]', '2\n5["a"]', '21 ["a"]', '2\u0663["a"]', '2\xb2["a"]', '2\ufeff["a"]'),
    *('29007199254740992["a"]', '200000000000000001["a"]', f"2{'1' * 400}[]", f"3{'1' * 10**6}[]"),
    '41{"message":"no"}',
    # rules 49 to 51, security rule T5: counts
    *(f'5{count}["a",{SLOT0}]' for count in ("", "1", "1,", "-", "01-", " 1-", "+1-", "1 -")),
    *(f'5{count}-["a",{SLOT0}]' for count in ("-1", "1e1", "0x1", "1.0", "\u0661", "\xb9", "11")),
    *("5", "6", "5-", "50-", "6-", '50-["a"]', '60-1["a"]', f"5{'1' * 10**6}-[]"),
    *("51-", "51-{}", "51-[]", "61-1", f"61-[{SLOT0}]", f"51-[{SLOT0}]"),
    # security rules 14 and T16: placeholders
    *('51-["a"]', '61-1["a"]', f'52-["a",{SLOT0}]', f'51-["a",{SLOT0},{SLOT0}]'),
    *(f'52-["a",{SLOT0},[{SLOT0}]]', '51-["a",{"_placeholder":true}]'),
    *(f'51-["a",{SLOT % n}]' for n in ("1", "-1", "0.0", "0.5", "false", '"0"', "null", "[]")),
    *(f'51-["a",{SLOT % n}]' for n in ("1e0", "99999999999999999999", '0,"more":1')),
    *('51-["a",{"_placeholder":1,"num":0}]', '51-["a",{"_placeholder":"true","num":0}]'),
    # rule 92, security rule 17
    *(f'2["{name}"]' for name in sorted(RESERVED)),
    *('2/x,1["connect",1]', f'51-["disconnect",{SLOT0}]', '2["\\u0063onnect"]'),
    # rule 16, security rule T2
    *("2" + "[" * 100_000, '2["a",' + "[" * 128 + "]" * 128 + "]", "0" + '{"a":' * 100_000),
    '2["a"' + ",1" * 1001 + "]",
    # security rule T19
    *('2["a",NaN]', '2["a",-Infinity]', '2["a",1e400]', '\ufeff2["a"]', '0{"a":1e999}'),
    *('2["\\ud800",NaN]', '2["\ud800"]', "0/\ud800,{}", "0/\udfff"),
]


def decode(frames: Iterable[str | bytes], decoder: JsonDecoder | None = None) -> Packet:
    """Feed the frames of one packet, which comes with the last one and not before."""
    decoder = decoder or JsonDecoder()
    *first, last = frames
    for frame in first:
        assert decoder.feed(frame) is None
        assert decoder.pending
    packet = decoder.feed(last)
    assert packet is not None
    assert not decoder.pending
    return packet


def refuse(decoder: JsonDecoder, frame: str | bytes, words: str = ".") -> RemoteProtocolError:
    """See `frame` refused, and everything after it (security rule 20)."""
    with pytest.raises(RemoteProtocolError, match=words) as refusal:
        decoder.feed(frame)
    assert not decoder.pending
    for later in ("0", '2["a"]', b"a"):
        with pytest.raises(RemoteProtocolError):
            decoder.feed(later)
    return refusal.value


@pytest.mark.parametrize(("packet", "frames"), TRANSCRIPTS, ids=ascii)
def test_transcript(packet: Packet, frames: list[str | bytes]) -> None:
    assert encode(packet) == frames
    assert decode(frames) == packet


@pytest.mark.parametrize(("text", "packet"), READ_AS, ids=ascii)
def test_read_as(text: str, packet: Packet) -> None:
    assert decode([text]) == packet


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text)[:40])
def test_refused(text: str) -> None:
    refuse(JsonDecoder(), text)


@pytest.mark.parametrize(("packet", "frames"), TRANSCRIPTS, ids=ascii)
def test_every_part_and_more(packet: Packet, frames: list[str | bytes]) -> None:
    """A header cut anywhere, or with something after it, is another packet or an error."""
    text = frames[0]
    assert isinstance(text, str)
    for cut in range(len(text)):
        with suppress(RemoteProtocolError):
            part = JsonDecoder().feed(text[:cut])
            # Only types without a payload have valid parts: `0/ad`, `1`.
            assert part == Packet(Type(int(text[0])), part.namespace if part else "")
            assert text[0] in "01"
    if packet.data is not None:
        for more in ("x", "[]", ",", "\x1e", "\x00", "\u2028"):
            refuse(JsonDecoder(), text + more)


def test_binary_types_are_synonyms() -> None:
    """Protocol rule 51: type 5 and 6 are written exactly when there is something binary."""
    for data in (["a"], ["a", b"1"]):
        event, ack = Packet(EVENT, "/", data), Packet(ACK, "/", data, 1)
        assert encode(Packet(BINARY_EVENT, "/", data)) == encode(event)
        assert encode(Packet(BINARY_ACK, "/", data, 1)) == encode(ack)


@pytest.mark.parametrize(
    "packet",
    [
        Packet(CONNECT, data={"a": b"1"}),  # rule 53
        Packet(CONNECT_ERROR, data={"message": b"1"}),
        Packet(EVENT, data=["connect"]),  # rule 92
        Packet(EVENT, data=[b"name"]),
        *(Packet(EVENT), Packet(ACK, data=[]), Packet(DISCONNECT, data={})),
        *(Packet(CONNECT, "/a,b"), Packet(CONNECT, "admin")),
        *(Packet(EVENT, data=["a", {1, 2}]), Packet(EVENT, data=["a", {1: 2}])),
        Packet(EVENT, data=["a", slot(), b"1"]),
    ],
    ids=ascii,
)
def test_not_encoded(packet: Packet) -> None:
    with pytest.raises(LocalProtocolError):
        encode(packet)


def test_encoding_leaves_the_data_alone() -> None:
    data = ["a", {"b": [bytearray(b"1")]}]
    frames = encode(Packet(EVENT, data=data))
    assert data == ["a", {"b": [bytearray(b"1")]}]
    assert type(frames[1]) is bytes


def test_attachments_in_any_order_of_placeholders() -> None:
    """Protocol rule 49: the index says which, not where the placeholder stands."""
    header = f'52-["a",{SLOT % 1},{{"b":{SLOT0}}}]'
    assert decode([header, b"0", b"1"]) == Packet(EVENT, data=["a", b"1", {"b": b"0"}])


def test_one_decoder_for_many_packets() -> None:
    """Protocol rule 51: what was received before leaves no trace."""
    decoder = JsonDecoder()
    for _ in range(3):
        for packet, frames in TRANSCRIPTS:
            assert decode(frames, decoder) == packet


def test_frames_of_the_wrong_kind() -> None:
    """Security rule T16: no text while attachments are awaited, no bytes while none are."""
    refuse(JsonDecoder(), b"1", "no packet announced")
    for text in ('2["b"]', "0/other,", "", "1", f'51-["a",{SLOT0}]'):
        decoder = JsonDecoder()
        decoder.feed(f'52-["a",{SLOT0},{SLOT % 1}]')
        decoder.feed(b"1")
        refuse(decoder, text, "awaited")
    decoder = JsonDecoder()
    decode([f'51-["a",{SLOT0}]', b"1"], decoder)
    refuse(decoder, b"2", "no packet announced")


def many(count: int) -> list[str | bytes]:
    """Make the frames of an event with `count` attachments."""
    return encode(Packet(EVENT, data=["a", [b"1"] * count]))


@pytest.mark.parametrize("limit", [0, 1, 9, 10, 99, 100])
def test_count_of_attachments(limit: int) -> None:
    """Protocol rule 50, security rule T5."""
    decoder = JsonDecoder(max_attachments=limit)
    if limit:
        assert decode(many(limit), decoder).data == ["a", [b"1"] * limit]
    refuse(decoder, many(limit + 1)[0], f"more than {limit}|no number")
    refuse(JsonDecoder(max_attachments=limit), many(10 * limit + 10)[0])


def test_size_of_attachments() -> None:
    """Security rule T5: exactly the limit passes, one byte more closes with 1009."""
    header = f'52-["a",{SLOT0},{SLOT % 1}]'
    decoder = JsonDecoder(max_attachment_bytes=100)
    for _ in range(2):  # each packet has the whole limit
        decode([header, b"x" * 60, b"y" * 40], decoder)
    decoder.feed(header)
    decoder.feed(b"x" * 60)
    error = refuse(decoder, b"y" * 41, "100 bytes")
    assert (error.status, error.close_code) == (413, 1009)
    error = refuse(JsonDecoder(), "x")  # as every other error
    assert (error.status, error.close_code, error.reason) == (400, 1002, "parse error")


def test_limits_by_default() -> None:
    """Protocol rule 50, security rule T5."""
    decoder = JsonDecoder()
    decode(many(10), decoder)
    refuse(decoder, many(11)[0], "more than 10 attachments")
    decoder = JsonDecoder()
    decode([f'51-["a",{SLOT0}]', bytes(10_000_000)], decoder)
    decoder.feed(f'51-["a",{SLOT0}]')
    refuse(decoder, bytes(10_000_001), "10000000 bytes")


def test_the_parser_object() -> None:
    parser: Parser = JsonParser()
    packet = Packet(EVENT, "/x", ["a", b"1"], 5)
    frames = parser.encode(packet)
    decoder = parser.decoder(max_attachments=1, max_attachment_bytes=1)
    assert frames == encode(packet)
    assert decoder.feed(frames[0]) is None
    assert decoder.pending
    assert decoder.feed(frames[1]) == packet
    with pytest.raises(RemoteProtocolError):
        decoder.feed(many(2)[0])


packets = st.from_type(Packet)
json_text = st.sampled_from(['["a"]', "[]", "{}", '"x"', "null", f'["a",{SLOT0}]', "[1,"])
headers = st.from_regex(r"[0-7][0-9]{0,3}-?(/[a-z]?,?)?[0-9]{0,20}", fullmatch=True)
good_frames = packets.flatmap(lambda packet: st.sampled_from(encode(packet)))
wire_frames = good_frames | st.binary() | st.text() | st.tuples(headers, json_text).map("".join)


@given(packets)
def test_round_trip(packet: Packet) -> None:
    frames = encode(packet)
    assert decode(frames, JsonDecoder(max_attachments=100)) == packet
    header, *attachments = frames
    assert all(type(attachment) is bytes for attachment in attachments)
    count = re.match("[56]([1-9][0-9]*)-", str(header))  # rule 51: never `50-`
    assert int(count[1] if count else 0) == len(attachments)
    assert (str(header)[0] in "56") == bool(attachments)


@given(st.lists(packets, max_size=4))
def test_round_trips_on_one_connection(sent: list[Packet]) -> None:
    decoder = JsonDecoder(max_attachments=100)
    fed = [decoder.feed(frame) for packet in sent for frame in encode(packet)]
    assert [packet for packet in fed if packet is not None] == sent


@given(st.lists(wire_frames, max_size=6))
@example(['51-["a",{"_placeholder":true,"num":0}]', b"", '2["a"]'])
def test_any_frames(frames: list[str | bytes]) -> None:
    """A decoder raises RemoteProtocolError or nothing, and has no second life."""
    decoder = JsonDecoder()
    failed = False
    for frame in frames:
        try:
            packet = decoder.feed(frame)
        except RemoteProtocolError:
            failed = True
            assert not decoder.pending
        else:
            assert not failed
            assert (packet is None) == decoder.pending
            assert packet is None or packet.type not in (BINARY_EVENT, BINARY_ACK)


@given(packets, st.data())
def test_one_change_to_a_packet(packet: Packet, data: st.DataObject) -> None:
    """What a mutated packet is read as can be written, and is read so again."""
    frames = encode(packet)
    header = str(frames[0])
    at = data.draw(st.integers(0, len(header)))
    end = data.draw(st.integers(at, min(at + 2, len(header))))
    frames[0] = header[:at] + data.draw(st.text(max_size=2)) + header[end:]
    decoder = JsonDecoder(max_attachments=100)
    try:
        *_, read = [decoder.feed(frame) for frame in frames]
    except RemoteProtocolError:
        return
    if read is not None:
        assert decode(encode(read), JsonDecoder(max_attachments=100)) == read


@given(st.text())
def test_the_short_way_reads_the_same_header(rest: str) -> None:
    """`2[` is read without `read_header`, which would say the same."""
    assert read_header("2[" + rest, 10) == (EVENT, 0, "/", None, "[" + rest)


@given(packets)
def test_the_short_way_writes_the_same_header(packet: Packet) -> None:
    """`2` is written without `write_header`, which would say the same."""
    header, *attachments = encode(packet)
    assert str(header).startswith(write_header(packet, len(attachments)))
    assert write_header(Packet(EVENT), 0) == "2"


nests = st.recursive(
    st.builds(slot, st.integers(-1, 2)) | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=6,
)


@given(st.lists(nests, max_size=4))
def test_placeholders_are_found(data: list[Any]) -> None:
    """Security rule 14: each index exactly once, or an error."""
    found = sorted(re.findall("'_placeholder': True, 'num': ([-0-9]+)", repr(data)))
    for count in (1, 2, 3):
        if found == [str(index) for index in range(count)]:
            places = find_placeholders(data, count)
            assert [node[key]["num"] for node, key in places] == list(range(count))
        else:
            with pytest.raises(RemoteProtocolError):
                find_placeholders(data, count)

"""The short way of an undisturbed WebSocket: the same as the long one."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from support.engineio import masked, opened, record, text
from support.runtime import LoopFree, counting_entropy
from support.transcript import Driver

from sansocket.sansio.engineio.app import EngineApp
from sansocket.sansio.engineio.websocket_transport import WebSocketTransport

PATH = "/socket.io/"

frames = st.one_of(
    st.text(max_size=200).map(lambda message: text("4" + message)),
    st.binary(max_size=200).map(lambda data: masked(0x82, data)),
    st.sampled_from(["3", "2", "1", "6", "", "9", "4echo", "4close", "4flood"]).map(text),
    st.sampled_from([masked(0x89, b"ping"), masked(0x8A, b""), masked(0x88, b"\x03\xe8")]),
    st.sampled_from([masked(0x01, b"4a"), masked(0x80, b"b"), masked(0x81, b"4\xff"), b"\xc1\x80"]),
)


def transcript(chunks: list[bytes], *, short: bool) -> tuple[list[object], bytes, bool, bool]:
    """What a server makes of these bytes: its events, its own bytes, and how it ends."""
    runtime = LoopFree()
    app = EngineApp(runtime, entropy=counting_entropy(), path=PATH, max_payload=150)
    driver = Driver(app, runtime)
    events = record(app)

    @app.on("message")
    def message(socket: object, data: str | bytes) -> None:
        [session] = app.sockets.values()
        if data == "echo":
            session.send("echoed")
            session.send(b"twice")
        elif data == "close":
            session.close()
        elif data == "flood":
            session.send("x" * 300_000)
            session.send("last")

    carried = WebSocketTransport.carried if short else property(lambda transport: None)
    with patch.object(WebSocketTransport, "carried", carried):
        pipe = opened(driver).pipe
        pipe.take()
        for chunk in chunks:
            pipe.writable = False  # until the chunk has been read, as with a real driver
            pipe.send(chunk)
            pipe.writable = True
            pipe.pull()
        return [*events], pipe.take(), pipe.wire.closing, pipe.wire.closed


@given(st.lists(frames, max_size=8), st.data())
def test_the_short_way_is_the_long_way(sent: list[bytes], data: st.DataObject) -> None:
    """Whole frames, split frames, several at once, and all that must not be taken for one."""
    stream = b"".join(sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    chunks = [
        stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
    ]
    assert transcript(chunks, short=True) == transcript(chunks, short=False)


def test_the_short_way_is_taken() -> None:
    """And without a driver that is woken: it pulls when a chunk has been read."""
    runtime = LoopFree()
    app = EngineApp(runtime, entropy=counting_entropy(), path=PATH)
    driver = Driver(app, runtime)
    pipe = opened(driver).pipe
    wire = pipe.wire.successor
    assert wire is not None
    with patch.object(type(wire), "_receive_frames") as long:
        wire.receive_data(text("4a") * 3, 0.0)
        long.assert_not_called()
        wire.receive_data(text("4a")[:3], 0.0)
        long.assert_called_once()

"""Whose fault it was, and what an application learns of it."""

from __future__ import annotations

from sansocket import sansio
from sansocket.sansio import errors
from sansocket.sansio.errors import (
    AckTimeout,
    ConnectionRefused,
    Disconnected,
    LocalProtocolError,
    ProtocolError,
    Reason,
    RemoteProtocolError,
)

REASONS = [
    "transport error",
    "transport close",
    "ping timeout",
    "parse error",
    "forced close",
    "server shutting down",
    "client namespace disconnect",
    "server namespace disconnect",
]


def test_reasons() -> None:
    """Protocol rules 69 and 81: the reference's spellings, and two that it does not have."""
    client = {"io server disconnect", "io client disconnect"}
    assert {*Reason} == {*REASONS, *client, "send buffer full", "receive buffer full"}
    assert [str(reason) for reason in Reason] == [reason.value for reason in Reason]


def test_each_side_has_its_error() -> None:
    """What catches the peer's errors never catches the caller's, and the other way round."""
    assert issubclass(LocalProtocolError, ProtocolError)
    assert issubclass(RemoteProtocolError, ProtocolError)
    assert not issubclass(LocalProtocolError, RemoteProtocolError)
    assert not issubclass(RemoteProtocolError, LocalProtocolError)


def test_remote_error_knows_its_answer() -> None:
    error = RemoteProtocolError("no such thing")
    assert str(error) == "no such thing"
    assert (error.status, error.reason, error.close_code) == (400, "parse error", 1002)
    error = RemoteProtocolError("big", status=413, reason=Reason.TRANSPORT_ERROR, close_code=1009)
    assert (error.status, error.reason, error.close_code) == (413, "transport error", 1009)


def test_connection_refused() -> None:
    """Protocol rule 60: a message, and data where there is some."""
    error = ConnectionRefused("not today", data={"code": 401})
    assert (str(error), error.message, error.data) == ("not today", "not today", {"code": 401})
    plain = ConnectionRefused()
    assert (plain.message, plain.data) == ("not authorized", None)


def test_what_was_waited_for() -> None:
    """A timeout is a TimeoutError, and keeps the answers that came; being cut off is none."""
    late = AckTimeout([1, None])
    assert isinstance(late, TimeoutError)
    assert late.responses == [1, None]
    gone = Disconnected(Reason.TRANSPORT_CLOSE)
    assert (str(gone), gone.reason) == ("transport close", "transport close")
    assert not isinstance(gone, TimeoutError | ProtocolError)


def test_public_names() -> None:
    """Every error can be imported from `sansocket.sansio` by the name that it has here."""
    kinds = [item for item in vars(errors).values() if isinstance(item, type)]
    for kind in kinds:
        if issubclass(kind, Exception):
            assert getattr(sansio, kind.__name__) is kind

"""How a script gets what a session reports: an object for each, with a `time` and a `type`.

The other keys are the fields of the report. This module does not know where the lines go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final

from . import reports
from .json_lines import dump
from .reports import Report

TYPES: Final[dict[type[Report], str]] = {
    reports.Connected: "connect",
    reports.EventCame: "event",
    reports.Asked: "sent",
    reports.Kept: "kept",
    reports.AckCame: "ack",
    reports.AckFailed: "ack_error",
    reports.Disconnected: "disconnect",
    reports.ConnectFailed: "connect_error",
    reports.Retrying: "reconnect_wait",
    reports.Reconnected: "reconnect",
    reports.GaveUp: "reconnect_failed",
    reports.Remark: "remark",
    reports.Problem: "problem",
}


def utc_now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)


def json_report(report: Report, now: Callable[[], datetime] = utc_now) -> str:
    """The line for a report, without its end."""
    said: dict[str, Any] = {field.name: getattr(report, field.name) for field in fields(report)}
    if isinstance(seconds := said.get("seconds"), float):
        said["seconds"] = round(seconds, 6)
    time = now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return dump({"time": time, "type": TYPES[type(report)], **said})

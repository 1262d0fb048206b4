"""The targets: how much more than the reference a server of ours may cost, case by case.

A target is a ratio to npm's socket.io (for codecs, to the parser that is named in the result) in
the same round, under the same load. docs/performance.md
gives the reasons.
"""

from __future__ import annotations

from typing import Final

TARGETS: Final[dict[str, dict[str, float]]] = {
    "echo": {"uvloop": 0.75, "trio": 1.5},
    "broadcast-200": {"uvloop": 0.80, "trio": 0.85},
    "broadcast-2000": {"uvloop": 0.80, "trio": 0.85},
    "connect": {"uvloop": 0.5, "trio": 0.6},
    "memory-1000": {"uvloop": 0.5, "trio": 0.7},
    "memory-10000": {"uvloop": 0.5, "trio": 0.7},
    "polling": {"uvloop": 2.5, "trio": 2.8},
    "codec-encode": {"codec": 1.5},
    "codec-decode": {"codec": 1.5},
    "codec-encode-python": {"codec": 0.2},
    "codec-decode-python": {"codec": 0.2},
}


def target(case: str, column: str) -> float | None:
    """Return the highest ratio that a server may have in a case; None where there is no target."""
    return TARGETS.get(case, {}).get(column)

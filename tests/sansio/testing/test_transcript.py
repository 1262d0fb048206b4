"""The lines of a simulation."""

from __future__ import annotations

from sansocket.sansio.testing.transcript import KEPT, Transcript


def test_keeps_the_last_lines() -> None:
    """Bounded, however long a simulation runs; all are written where somebody reads them."""
    written: list[str] = []
    transcript = Transcript(written.append)
    for number in range(3 * KEPT):
        transcript.note(float(number), f"line {number}")
    assert transcript.last == written[-KEPT:]
    assert (transcript.lines, len(written)) == (3 * KEPT, 3 * KEPT)


def test_digest() -> None:
    """Equal for equal lines, and another for each other one; also for what is no UTF-8."""
    digests = set[str]()
    for lines in (["a", "b"], ["ab"], ["b", "a"], ["a", "b"], ["\ud800"]):
        transcript = Transcript()
        for line in lines:
            transcript.note(0.0, line)
        digests.add(transcript.digest)
    assert len(digests) == 4

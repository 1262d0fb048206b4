"""The benchmark of recoveries says what was lost, and how it went; no time is held against any."""

from __future__ import annotations

import re

import pytest
from support.fake_engine import Rig

from benchmarks.contestants import Unavailable
from benchmarks.recovery import __main__ as recovery
from benchmarks.recovery.crowd import Crowd, Load, Member, Recovery
from benchmarks.recovery.report import lines

SMALL = ["--clients", "3", "--events", "6", "--outages", "1"]


def test_a_few_clients_get_over_one_outage(capsys: pytest.CaptureFixture[str]) -> None:
    """One of each way there is; two lines say how it went."""
    assert recovery.main(["--loop", "asyncio", "--server", "trio", *SMALL]) == 0
    printed = capsys.readouterr()
    first, second = printed.out.splitlines()
    assert re.fullmatch(
        r"asyncio with trio: 3 clients, 18 events, \d+ of them received more than once", first
    )
    assert re.match(r"  outage 1: \d+ events under way; listens again after \d", second)
    assert printed.err == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--clients", "0"], "argument --clients: expected 1 or more, got 0"),
        (["--events", "1"], "argument --events: expected 2 or more, got 1"),
        (["--outages", "-1"], "argument --outages: expected 1 or more, got -1"),
        (["--clients", "many"], "argument --clients: invalid int value"),
        (["--loop", "curio"], "argument --loop: invalid choice"),
        (["--server", "nginx"], "argument --server: invalid choice"),
    ],
    ids=" ".join,
)
def test_arguments_that_make_no_sense(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are told before anything is started."""
    with pytest.raises(SystemExit) as end:
        recovery.main(arguments)
    assert end.value.code == 2
    assert words in capsys.readouterr().err


def test_a_server_that_cannot_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named, the others are run, and the exit code says that not all was well."""
    ran: list[str] = []

    def recover(loop: str, name: str, load: Load) -> list[str]:
        if name == "socket.io":
            raise Unavailable("needs node")
        ran.append(name)
        return []

    monkeypatch.setattr(recovery, "recover", recover)
    assert recovery.main(["--loop", "trio"]) == 1
    assert ran == ["trio", "asyncio", "uvloop"]
    assert capsys.readouterr().err == "trio with socket.io: needs node\n"


@pytest.mark.parametrize(
    ("received", "acknowledged", "wrong"),
    [
        ([0, 1, 2], [0, 1, 2], []),
        ([0, 2], [0, 1, 2], ["received as [0, 2]"]),
        ([0, 2, 1], [0, 1, 2], ["received as [0, 2, 1]"]),
        ([0, 1, 2], [0, 1, 1, 2], ["acknowledged as [0, 1, 1, 2]"]),
        ([], [], ["received as []", "acknowledged as []"]),
    ],
    ids=str,
)
def test_faults(received: list[int], acknowledged: list[int], wrong: list[str]) -> None:
    """What was lost, came out of its order, or was not acknowledged once."""
    crowd = Crowd()
    member = Member("client-0", Rig().client.socket(), lambda what: None)
    crowd.members.append(member)
    member.emitted = 3
    member.acknowledged = acknowledged
    assert crowd.faults({"client-0": received}) == [f"client-0: 0 to 2 were {it}" for it in wrong]


def test_what_is_told() -> None:
    """The least, the median and the most of the clients, for each outage."""
    crowd = Crowd()
    crowd.recoveries.append(Recovery(7, 0.5, [1.0, 3.0, 2.0], [4.0, 4.0, 6.0]))
    assert [*lines("a with b", crowd)] == [
        "a with b: 0 clients, 0 events, 0 of them received more than once",
        "  outage 1: 7 events under way; listens again after 0.50 s; clients connected after"
        " 1.00 / 2.00 / 3.00 s; all theirs acknowledged after 4.00 / 4.00 / 6.00 s",
    ]

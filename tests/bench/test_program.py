"""`sansocket bench` from its arguments to its files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import parsers, program
from benchmarks.cases import CASES
from benchmarks.contestants import CONTESTANTS
from benchmarks.samples import Sample
from sansocket.command_line import bench, main

SHORT = ["--rounds", "2", "--seconds", "0.05"]


@pytest.fixture(autouse=True)
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers are not warmed up."""
    monkeypatch.setattr(program, "WARM_UP", 0.02)


def test_measures_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    servers = ["--server", "socket.io", "--server", "trio"]
    output = ["--output", str(tmp_path / "out")]
    assert main(["bench", "--case", "echo", *servers, *SHORT, *output]) == 0
    printed = capsys.readouterr().out
    assert "CPU µs a message" in printed
    document = json.loads((tmp_path / "out" / "results.json").read_text())
    (case,) = document["cases"]
    assert [server["server"] for server in case["servers"]] == ["socket.io", "trio"]
    assert case["failures"] == {}
    assert all(len(server["samples"]) == 2 for server in case["servers"])
    assert case["servers"][1]["ratio"]["median"] > 0
    ElementTree.parse(tmp_path / "out" / "results.svg")


def test_a_server_that_fails_is_told_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")  # so there is no node
    chosen = ["--case", "ack", "--server", "socket.io", "--server", "asyncio"]
    assert main(["bench", *chosen, *SHORT, "--output", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "socket.io: needs node" in printed
    (case,) = json.loads((tmp_path / "results.json").read_text())["cases"]
    assert [server["server"] for server in case["servers"]] == ["asyncio"]


def test_check_fails_when_a_target_is_not_met(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the reference no ratio is known, so none is met."""
    chosen = ["--case", "echo", "--server", "trio", *SHORT, "--output", str(tmp_path)]
    assert main(["bench", *chosen, "--check"]) == 1
    assert "Missed: echo, trio: not known" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (["--case", "nonsense"], "no case 'nonsense'; there are echo, "),
        (["--server", "nonsense"], "no server 'nonsense'; there are socket.io, "),
    ],
)
def test_a_wrong_name(wrong: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *wrong]) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong",
    [["--rounds", "0"], ["--rounds", "x"], ["--seconds", "0"], ["--seconds", "inf"]],
)
def test_a_wrong_number(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", *wrong])
    assert ended.value.code == 2
    assert "expected" in capsys.readouterr().err


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--list"]) == 0
    printed = capsys.readouterr().out.split()
    assert {*CASES, *CONTESTANTS, parsers.NAME} <= set(printed)


def test_outside_of_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "CHECKOUT", tmp_path)
    assert main(["bench"]) == 1
    assert "needs a checkout" in capsys.readouterr().err


def names(cases: list[str], *, quick: bool = False) -> list[str]:
    return [case.name for case in program.chosen_cases(cases, quick=quick)]


def test_which_cases_run() -> None:
    assert names(["broadcast"]) == ["broadcast-10", "broadcast-200", "broadcast-2000"]
    assert names(["memory-1000"], quick=True) == ["memory-1000"]
    assert set(names([], quick=True)) < set(names([])) < set(CASES)


def test_codecs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are no servers; who names servers does not mean them."""
    samples = {task: Sample(1.0) for task in parsers.TASKS}
    monkeypatch.setattr(parsers.Codec, "run", lambda *_: samples)
    monkeypatch.setattr(program, "CASES", {})
    assert main(["bench", *SHORT, "--output", str(tmp_path)]) == 0
    cases = json.loads((tmp_path / "results.json").read_text())["cases"]
    assert len(cases) == 4
    assert all(server["ratio"]["median"] == 1.0 for case in cases for server in case["servers"])
    assert main(["bench", "--server", "trio", *SHORT, "--output", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "results.json").read_text())["cases"] == []


@pytest.mark.parametrize("codec", parsers.IMPLEMENTATIONS, ids=lambda codec: codec.name)
def test_each_codec_is_timed(codec: parsers.Codec) -> None:
    if codec.needs:
        pytest.importorskip("pyperf", reason="it is installed by `make bench`")
    found = codec.run(0.02, os.sched_getaffinity(0))
    assert all(found[task].value > 0 for task in parsers.TASKS)

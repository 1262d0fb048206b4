"""What is read from /proc, and whose CPU time is counted."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from benchmarks import machine

STAT = """\
cpu  100 20 30 4000 500 6 7 8 90 10
cpu0 50 10 15 2000 250 3 3 4 45 5
intr 12345
"""


def test_a_busy_core_is_one_that_is_neither_idle_nor_waits() -> None:
    """Guests are in `user` already; time that was stolen was busy for somebody."""
    assert machine.parse_busy(STAT) == 100 + 20 + 30 + 6 + 7 + 8


def test_another_text_is_no_stat() -> None:
    with pytest.raises(ValueError, match="intr"):
        machine.parse_busy("intr 12345\n")


def test_time_in_the_kernel_stands_behind_a_name_that_may_be_anything() -> None:
    """The fifteenth field; whoever splits at every space finds another one."""
    stat = "42 (a) b 7 (c)) S 1 2 3 4 5 6 7 8 9 10 1500 250 30 40 20 0 1"
    assert machine.parse_kernel(stat) == 250


def test_time_in_the_kernel_is_a_part_of_all() -> None:
    with open("/dev/zero", "rb") as zeros:
        while not (kernel := machine.kernel_seconds(os.getpid())):
            zeros.read(1_000_000)
    assert kernel < machine.cpu_seconds(os.getpid()) + 0.02


def test_resident_memory_is_in_bytes() -> None:
    assert machine.parse_resident("Name:\tnode\nVmRSS:\t    2048 kB\n") == 2048 * 1024
    with pytest.raises(ValueError, match="VmRSS"):
        machine.parse_resident("Name:\tkthreadd\n")


def test_a_processor_has_a_name() -> None:
    assert machine.cpu_model("processor\t: 0\nmodel name\t: Fast One\n") == "Fast One"
    assert machine.cpu_model("processor\t: 0\n")


def test_busy_and_resident_here() -> None:
    assert machine.busy_seconds() > 0
    assert machine.resident_bytes(os.getpid()) > 1_000_000


def test_children_count_with_their_parent() -> None:
    """A server may have workers."""
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as parent:
        try:
            while len(machine.process_tree(parent.pid)) < 2:
                time.sleep(0.01)
            first, child = machine.process_tree(parent.pid)
            assert first == parent.pid
            while not machine.cpu_seconds(child):
                time.sleep(0.01)
            alone = time.clock_gettime(~first << 3 | machine.CPUCLOCK_SCHED)
            assert 0 < alone < machine.cpu_seconds(first)
        finally:
            parent.communicate(b"\n")


def test_a_meter_counts_the_process_that_it_is_given() -> None:
    before = time.process_time()
    meter = machine.Meter(os.getpid())
    begin = time.process_time()
    while time.process_time() - begin < 0.05:
        pass
    usage = meter.read()
    # Not compared with the wall: the meter reads its clocks one after another.
    assert 0.05 <= usage.cpu <= time.process_time() - before
    assert usage.wall > 0
    assert usage.foreign >= 0


def test_a_meter_counts_children_that_ended() -> None:
    meter = machine.Meter()
    subprocess.run([sys.executable, "-c", "sum(range(2_000_000))"], check=True)
    assert meter.read().cpu > 0

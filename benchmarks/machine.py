"""The machine: what it is, what a process has used of it, and what others use meanwhile.

Linux only: it reads /proc.
"""

from __future__ import annotations

import os
import platform
import resource
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
MANY_FILES: Final = 65_536
CPUCLOCK_SCHED: Final = 2  # in the id of a clock: the time for which the process really ran


@dataclass(frozen=True)
class Machine:
    """Where the figures come from."""

    cpu: str
    cores: int
    kernel: str
    python: str
    node: str

    def __str__(self) -> str:
        return (
            f"{self.cpu}, {self.cores} cores, Linux {self.kernel},"
            f" Python {self.python}, Node {self.node}"
        )


def this_machine() -> Machine:
    """Describe the machine that this runs on."""
    return Machine(
        cpu=cpu_model((PROC / "cpuinfo").read_text()),
        cores=os.cpu_count() or 1,
        kernel=platform.release(),
        python=platform.python_version(),
        node=node_version(),
    )


def cpu_model(cpuinfo: str) -> str:
    """Find the name of the processor in the text of /proc/cpuinfo."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model", "Hardware"):
            return value.strip()
    return platform.machine()


def node_version() -> str:
    """The version of node, or "none"."""
    node = shutil.which("node")
    if node is None:
        return "none"
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip().removeprefix("v") or "none"


def process_tree(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for parent in found:
        for task in (PROC / str(parent) / "task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def cpu_seconds(pid: int) -> float:
    """The CPU time of a process and its descendants so far, user and system together.

    From the CPU-time clock of each (clock_getcpuclockid(3)), whose unit is the nanosecond; the
    one of /proc/PID/stat is 10 ms.
    """
    return sum(time.clock_gettime(~one << 3 | CPUCLOCK_SCHED) for one in process_tree(pid))


def kernel_seconds(pid: int) -> float:
    """The part of its CPU time, and that of its descendants, that was spent in the kernel.

    It is sampled, some hundred times a second: it takes seconds to tell it well.
    """
    return sum(
        parse_kernel((PROC / str(one) / "stat").read_text()) for one in process_tree(pid)
    ) / os.sysconf("SC_CLK_TCK")


def parse_kernel(stat: str) -> int:
    """Find the ticks that were spent in the kernel in the text of /proc/PID/stat."""
    # The name of the program, in parentheses, may contain anything.
    return int(stat.rpartition(")")[2].split()[12])


def resident_bytes(pid: int) -> int:
    """The memory of a process and its descendants that is in RAM, in bytes."""
    return sum(
        parse_resident((PROC / str(one) / "status").read_text()) for one in process_tree(pid)
    )


def parse_resident(status: str) -> int:
    """Find the resident memory in the text of /proc/PID/status; return bytes."""
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no VmRSS in the status of the process")


def busy_seconds() -> float:
    """The CPU time that all processes together have used so far, interrupts included."""
    return parse_busy((PROC / "stat").read_text()) / os.sysconf("SC_CLK_TCK")


def parse_busy(stat: str) -> int:
    """Sum up, from the text of /proc/stat, the ticks in which a core was not idle."""
    name, *fields = stat.partition("\n")[0].split()
    if name != "cpu":
        raise ValueError(f"not the text of /proc/stat: it begins with {name!r}")
    user, nice, system, _idle, _iowait, irq, softirq, steal = (int(field) for field in fields[:8])
    return user + nice + system + irq + softirq + steal


def two_cores() -> tuple[int, int] | None:
    """The core for the server and the one for the load; None where there is only one."""
    cores = sorted(os.sched_getaffinity(0))
    return (cores[0], cores[-1]) if len(cores) > 1 else None


def allow_many_files() -> int:
    """Raise the limit of open descriptors, which servers inherit; return what it is then."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY_FILES if hard == resource.RLIM_INFINITY else max(hard, MANY_FILES)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
    except (ValueError, OSError):  # only root may raise the hard limit
        wanted = hard
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


class Meter:
    """Reads the clocks between two marks: the server's CPU, the time that passed, and the rest.

    Without a process it counts the children that began and ended between the marks.
    """

    def __init__(self, pid: int | None = None) -> None:
        self._pid = pid
        self._begin = self._read()

    def _read(self) -> tuple[float, float, float, float]:
        if self._pid is None:
            ended = os.times()
            server = ended.children_user + ended.children_system
        else:
            server = cpu_seconds(self._pid)
        return server, time.process_time(), busy_seconds(), time.perf_counter()

    def read(self) -> Usage:
        """What was used since the meter was made."""
        server, load, busy, wall = (
            now - then for now, then in zip(self._read(), self._begin, strict=True)
        )
        return Usage(server, wall, max(0.0, busy - server - load) / wall)


@dataclass(frozen=True)
class Usage:
    """What happened between two marks."""

    cpu: float
    """Seconds that the server ran."""
    wall: float
    """Seconds that passed."""
    foreign: float
    """Cores that others kept busy meanwhile, neither the server nor the load."""

"""Memory, threads, descriptors and CPU time of a process and its children, from `/proc`.

What is cheap is read at every sample; what costs the target something, on a cadence of its own.
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import psutil

from soak.sources.cgroup import CgroupReading, cgroup_of
from soak.sources.descriptors import Descriptors, SocketStates, count_descriptors, count_socket_states
from soak.sources.smaps import MappingReading, added, read_mappings, stack_pointers

if TYPE_CHECKING:
    from collections.abc import Sequence

PROC = Path("/proc")
CHILDREN_EVERY_S = 5.0
"""How often the tree is searched for new children: a search walks every process of the machine."""


@dataclass(frozen=True)
class MemorySplit:
    """What `/proc/P/status` says of memory, summed over the tree, in bytes."""

    rss_bytes: int
    rss_anon_bytes: int
    rss_file_bytes: int
    rss_shmem_bytes: int
    swap_bytes: int


@dataclass(frozen=True)
class TreeReading:
    """One cheap reading of a process tree (about 40 µs a process for memory)."""

    memory: MemorySplit
    threads: int
    descriptors: Descriptors | None
    """Open file descriptors; None where they may not be listed."""
    processes: int
    cpu_s: float
    """User and system time since each process began."""

    def columns(self) -> dict[str, float]:
        """Return it as columns of `samples.csv`."""
        descriptors = {} if self.descriptors is None else asdict(self.descriptors)
        counts = {"threads": self.threads, "processes": self.processes, "cpu_s": self.cpu_s}
        return {**asdict(self.memory), **counts, **descriptors}


@dataclass(frozen=True)
class DetailedReading:
    """What is read now and then, because it costs the target something (about 10 ms per GB of RSS)."""

    mappings: MappingReading
    sockets: SocketStates | None
    cgroup: CgroupReading | None
    """Of the root of the tree."""

    def columns(self) -> dict[str, Any]:
        """Return it as columns of `samples.csv`."""
        parts = (self.mappings, self.sockets, self.cgroup)
        return {name: value for part in parts if part is not None for name, value in asdict(part).items()}


Counts = TypeVar("Counts", MemorySplit, Descriptors, SocketStates)

STATUS_KEYS = {
    "VmRSS": "rss_bytes",
    "RssAnon": "rss_anon_bytes",
    "RssFile": "rss_file_bytes",
    "RssShmem": "rss_shmem_bytes",
    "VmSwap": "swap_bytes",
}


def parse_status(text: str) -> tuple[MemorySplit, int] | None:
    """Read memory and thread count from the text of `/proc/P/status`.

    None for a process that has no memory any more (a zombie, or one about to end).
    """
    values = dict.fromkeys((field.name for field in fields(MemorySplit)), 0)
    threads = 0
    alive = False
    for line in text.splitlines():
        key, _, rest = line.partition(":")
        if key in STATUS_KEYS:
            values[STATUS_KEYS[key]] = int(rest.split()[0]) * 1024
            alive = True
        elif key == "Threads":
            threads = int(rest)
    return (MemorySplit(**values), threads) if alive else None


class ProcessTree:
    """A process with its descendants."""

    def __init__(self, pid: int, *, proc: Path = PROC) -> None:
        """Watch the tree under `pid`; raises `psutil.NoSuchProcess` when there is none."""
        self._root = psutil.Process(pid)
        self._proc = proc
        self._children: list[psutil.Process] = []
        self._children_due_s = 0.0

    def read(self, now_s: float) -> TreeReading | None:
        """Read the tree; None when its root is gone.

        A child that ends while it is read drops out of the sum.
        """
        if now_s >= self._children_due_s:
            self._children_due_s = now_s + CHILDREN_EVERY_S
            with contextlib.suppress(psutil.Error):
                self._children = self._root.children(recursive=True)
        root = self._read_one(self._root)
        if root is None:
            return None
        readings = [root, *filter(None, map(self._read_one, self._children))]
        return _total(readings)

    def read_details(self) -> DetailedReading | None:
        """Read mappings, sockets and cgroup; None where the permissions do not allow it.

        While its mappings are read the target cannot map memory.
        """
        folders = [self._proc / str(process.pid) for process in (self._root, *self._children)]
        readings = [read_mappings(folder, stack_pointers(folder)) for folder in folders]
        mappings = added(reading for reading in readings if reading is not None)
        if mappings is None:
            return None
        cgroup = cgroup_of(self._root.pid, proc=self._proc)
        return DetailedReading(
            mappings,
            _sum_of(SocketStates, [count_socket_states(folder) for folder in folders]),
            None if cgroup is None else cgroup.read(),
        )

    def _read_one(self, process: psutil.Process) -> TreeReading | None:
        folder = self._proc / str(process.pid)
        try:
            status = parse_status((folder / "status").read_text(encoding="utf-8", errors="replace"))
            cpu = process.cpu_times()
        except (OSError, psutil.Error):
            return None
        if status is None:
            return None
        memory, threads = status
        return TreeReading(memory, threads, count_descriptors(folder / "fd"), 1, cpu.user + cpu.system)


def _total(readings: list[TreeReading]) -> TreeReading:
    memory = _sum_of(MemorySplit, [reading.memory for reading in readings])
    assert memory is not None  # noqa: S101 - narrows the type; there is a reading at least
    known = [reading.descriptors for reading in readings]
    return TreeReading(
        memory,
        threads=sum(reading.threads for reading in readings),
        descriptors=None if None in known else _sum_of(Descriptors, known),
        processes=len(readings),
        cpu_s=sum(reading.cpu_s for reading in readings),
    )


def _sum_of(kind: type[Counts], parts: Sequence[Counts | None]) -> Counts | None:
    """Add up field by field; a process that could not be read, or has just ended, adds nothing."""
    known = [part for part in parts if part is not None]
    if not known:
        return None
    return kind(**{field.name: sum(getattr(part, field.name) for part in known) for field in fields(kind)})

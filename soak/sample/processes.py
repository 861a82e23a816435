"""Memory, threads, descriptors and CPU time of a process and its children, from `/proc`."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, fields
from pathlib import Path

import psutil

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
    fds: int | None
    """Open file descriptors; None where they may not be listed."""
    sockets: int | None
    """Those of them that are sockets."""
    processes: int
    cpu_s: float
    """User and system time since each process began."""


@dataclass(frozen=True)
class SharedMemorySplit:
    """What `smaps_rollup` says, summed over the tree, in bytes."""

    pss_bytes: int
    uss_bytes: int


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

    def read_shared(self) -> SharedMemorySplit | None:
        """Read PSS and USS (about 10 ms per GB of RSS, during which the target cannot map memory).

        None where the kernel or the permissions do not allow it.
        """
        pss_bytes = uss_bytes = 0
        for process in (self._root, *self._children):
            try:
                info = process.memory_full_info()
            except psutil.NoSuchProcess:
                continue
            except psutil.AccessDenied:
                return None
            pss_bytes += info.pss
            uss_bytes += info.uss
        return SharedMemorySplit(pss_bytes, uss_bytes) if pss_bytes else None

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
        fds, sockets = _count_descriptors(folder / "fd")
        return TreeReading(memory, threads, fds, sockets, 1, cpu.user + cpu.system)


def _count_descriptors(folder: Path) -> tuple[int | None, int | None]:
    try:
        names = os.listdir(folder)
    except OSError:
        return None, None
    sockets = 0
    for name in names:
        with contextlib.suppress(OSError):  # closed since it was listed
            sockets += os.readlink(folder / name).startswith("socket:")
    return len(names), sockets


def _total(readings: list[TreeReading]) -> TreeReading:
    memory = MemorySplit(
        **{
            field.name: sum(getattr(reading.memory, field.name) for reading in readings)
            for field in fields(MemorySplit)
        }
    )
    return TreeReading(
        memory,
        threads=sum(reading.threads for reading in readings),
        fds=_sum_known([reading.fds for reading in readings]),
        sockets=_sum_known([reading.sockets for reading in readings]),
        processes=len(readings),
        cpu_s=sum(reading.cpu_s for reading in readings),
    )


def _sum_known(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None

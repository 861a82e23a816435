"""What the program holds: the heap in use of the target's processes, read from outside."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import psutil

from soak.capabilities import Capability
from soak.columns import Column, Owner, declarations, written_by
from soak.errors import TargetError
from soak.plugins import check_above_zero
from soak.sources.cadence import InQuietWindows
from soak.sources.heap import HeapGap, HeapOfTree
from soak.sources.source import Gap, Gone, MemorySource, Outcome, Reading, SourceReader, Watched

if TYPE_CHECKING:
    from soak.sources.cadence import Cadence


@dataclass(frozen=True)
class HeapSource(MemorySource):
    """The heap in use of glibc's malloc and of CPython: some 30 ms of the harness, none of the server.

    While nothing is going on, nothing changes: a walk in a quiet window is consistent. One that meets a
    change is made again, then left out with the reason.
    """

    at_least_every_s: float = 1.0
    """Shortest time between two readings."""
    share: float = 0.1
    """Share of the time that the readings may take, all of it the harness's."""
    name: ClassVar[str] = "heap"
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.PROCESS})

    def __post_init__(self) -> None:
        """Check the options; raises `OptionError`."""
        check_above_zero("at_least_every_s", self.at_least_every_s)
        check_above_zero("share", self.share)

    def columns(self) -> tuple[Column, ...]:
        """See `MemorySource`."""
        return declarations(*written_by(Owner.HEAP))

    def cadence(self) -> Cadence:
        """See `MemorySource`."""
        return InQuietWindows(self.at_least_every_s, self.share)

    def cannot_tell(self) -> tuple[str, ...]:
        """See `MemorySource`."""
        return (
            "Heap in use is what glibc's malloc and CPython have handed out; memory that a program maps by "
            "itself, or that another allocator manages, is not in it.",
        )

    def open(self, target: Watched) -> SourceReader:
        """Raises `TargetError` when the target is no process of this host."""
        if target.pid is None:
            raise TargetError("the server is no process of this host: its heap cannot be read here")
        return _HeapOfTargetReader(target.pid)


class _HeapOfTargetReader(SourceReader):
    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._heap = HeapOfTree()

    def read(self) -> Outcome:
        pids = [self._pid]
        with contextlib.suppress(psutil.Error):
            pids += [child.pid for child in psutil.Process(self._pid).children(recursive=True)]
        reading = self._heap.read(pids)
        if isinstance(reading, HeapGap):
            return Gap(f"heap in use: {reading.reason}", Gone.SOURCE if reading.for_good else None)
        values = {
            "heap_in_use_bytes": reading.in_use_bytes,
            "heap_free_bytes": reading.free_bytes,
            "heap_cached_bytes": reading.cached_bytes,
            "heap_system_bytes": reading.system_bytes,
            "heap_mmapped_bytes": reading.mmapped_bytes,
            "heap_arenas": reading.arenas,
            "heap_read_s": round(reading.cpu_s, 4),
        }
        if reading.python_bytes is not None:
            values["python_in_use_bytes"] = reading.python_bytes
        return Reading(values)

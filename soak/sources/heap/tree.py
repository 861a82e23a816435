"""The heap in use of a process and its children, as one sum."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from soak.sources.heap.reading import HeapGap, HeapReader, HeapReading

if TYPE_CHECKING:
    from collections.abc import Sequence

PROC = Path("/proc")


class HeapOfTree:
    """Reads every process of a tree; where the books of each are is found once.

    A process whose heap can never be read (another allocator) is left out of every sum, and `left_out` says
    so. One that cannot be read just now makes the whole reading a gap: a sum without it would be a fall that
    never was.
    """

    def __init__(self, proc: Path = PROC) -> None:
        """Begin with no process known."""
        self._proc = proc
        self._readers: dict[int, HeapReader] = {}
        self.left_out: dict[int, str] = {}
        """Why a process is in no sum, by its id."""

    def read(self, pids: Sequence[int]) -> HeapReading | HeapGap:
        """Return the sum over `pids`, the root of the tree first; a gap, with the reason, where none is.

        A child that has ended meanwhile adds nothing.
        """
        self._readers = {pid: self._readers.get(pid) or HeapReader(pid, self._proc) for pid in pids}
        found: list[HeapReading] = []
        for pid, reader in self._readers.items():
            reading = reader.read()
            if isinstance(reading, HeapReading):
                found.append(reading)
            elif pid == pids[0]:
                return reading
            elif reading.for_good:
                self.left_out[pid] = reading.reason
            elif (self._proc / str(pid)).exists():
                return HeapGap(f"child {pid}: {reading.reason}", for_good=False)
        return total(found)


def total(readings: Sequence[HeapReading]) -> HeapReading:
    """Add up the readings of several processes, one at least."""
    python = [each.python_bytes for each in readings if each.python_bytes is not None]
    return HeapReading(
        system_bytes=sum(each.system_bytes for each in readings),
        in_use_bytes=sum(each.in_use_bytes for each in readings),
        binned_bytes=sum(each.binned_bytes for each in readings),
        fast_bytes=sum(each.fast_bytes for each in readings),
        top_bytes=sum(each.top_bytes for each in readings),
        cached_bytes=sum(each.cached_bytes for each in readings),
        mmapped_bytes=sum(each.mmapped_bytes for each in readings),
        mmapped_blocks=sum(each.mmapped_blocks for each in readings),
        arenas=sum(each.arenas for each in readings),
        python_bytes=sum(python) if python else None,
        cpu_s=sum(each.cpu_s for each in readings),
    )

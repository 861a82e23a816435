"""The heap in use of a process: what glibc's malloc has handed out, read from outside.

In use is what the program keeps, free is what the allocator keeps for it; RSS shows their sum only. The
figures are those of `mallinfo2(3)` in the process itself, but for one: chunks in the threads' caches are free
here and in use there, so that `uordblks + hblkhd` is in use and cached together, and `fordblks` the rest.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from soak.sources.heap.allocator import Foreign, allocator_of
from soak.sources.heap.arenas import Place, arenas, locate, mmapped_blocks
from soak.sources.heap.bins import binned_bytes, fast_bytes, top_bytes
from soak.sources.heap.layouts import LINKS_ARE_MANGLED_SINCE, OLDEST
from soak.sources.heap.process_memory import MemoryUnreadableError, ProcessMemory, TornError
from soak.sources.heap.python_objects import (
    PythonArenas,
    is_python,
    locate_python_arenas,
    python_bytes_in_use,
)
from soak.sources.heap.thread_caches import ThreadCaches

if TYPE_CHECKING:
    from soak.sources.heap.arenas import ArenaHeader

TRIES = 3
"""A walk that meets a change is made again so often; then the reading is left out."""
PYTHON_TRIES = 3
"""Readings in which an interpreter's arenas are looked for: one that has just started has none yet."""


@dataclass(frozen=True)
class HeapReading:
    """One process's heap, or the sum over several; the sizes are in bytes."""

    system_bytes: int
    """Got from the system by all arenas (`arena` of mallinfo2), mapped blocks not included."""
    in_use_bytes: int
    """Handed out, mapped blocks included, the threads' caches not."""
    binned_bytes: int
    """Free chunks in bins."""
    fast_bytes: int
    """Free chunks in fastbins."""
    top_bytes: int
    """Free at the end of the arenas."""
    cached_bytes: int
    """Free chunks in the threads' own caches (tcache); 0 where these cannot be found."""
    mmapped_bytes: int
    """Blocks that are mappings of their own, all in use."""
    mmapped_blocks: int
    """How many these are."""
    arenas: int
    """How many arenas there are, those no thread uses any more included."""
    python_bytes: int | None = None
    """Small Python objects in use, which are none of malloc's; None where the process is no CPython."""
    cpu_s: float = 0.0
    """What the reading cost the reader; the process itself does nothing."""

    @property
    def free_bytes(self) -> int:
        """Kept by the allocator for reuse."""
        return self.binned_bytes + self.fast_bytes + self.top_bytes + self.cached_bytes


@dataclass(frozen=True)
class HeapGap:
    """No reading, and why: one line for people."""

    reason: str
    for_good: bool
    """Whether this process cannot be read at any time."""


class HeapReader:
    """Reads the heap of one process again and again; where its books are is found once."""

    def __init__(self, pid: int, proc: Path = Path("/proc")) -> None:
        """Read process `pid`; nothing is done yet."""
        self._folder = proc / str(pid)
        self._place: Place | None = None
        self._mangling: tuple[bool, ...] = (True, False)
        self._never: HeapGap | None = None
        self._caches = ThreadCaches(self._folder)
        self._python: PythonArenas | None = None
        self._python_tries_left = PYTHON_TRIES

    def read(self) -> HeapReading | HeapGap:
        """Walk the arenas; a walk that meets a change is made again, and left out with the reason at last."""
        if self._never is not None:
            return self._never
        began_s = time.thread_time()
        reason = ""
        for _ in range(TRIES):
            try:
                with ProcessMemory(self._folder) as memory:
                    place = self._find(memory)
                    reading = self._walk(memory, place, began_s)
            except TornError as torn:
                reason = str(torn)
                continue
            except MemoryUnreadableError as error:
                return HeapGap(str(error), for_good=self._never is not None)
            return reading
        return HeapGap(f"the heap was changing while it was read: {reason}", for_good=False)

    def _find(self, memory: ProcessMemory) -> Place:
        if self._place is not None:
            return self._place
        allocator = allocator_of(memory)
        if isinstance(allocator, Foreign):
            raise self._refused(allocator.reason)
        version = allocator.version
        if version is not None and version < OLDEST:
            raise self._refused(f"its glibc is {version[0]}.{version[1]}; 2.17 and newer are read")
        if version is not None:
            self._mangling = (version >= LINKS_ARE_MANGLED_SINCE,)
        self._place = locate(memory, allocator)
        return self._place

    def _refused(self, reason: str) -> MemoryUnreadableError:
        self._never = HeapGap(reason, for_good=True)
        return MemoryUnreadableError(reason)

    def _walk(self, memory: ProcessMemory, place: Place, began_s: float) -> HeapReading:
        """Walk all arenas between two readings of their headers; raises `TornError` when these differ."""
        before = arenas(memory, place)
        blocks, mapped = mmapped_blocks(memory, place)
        top = sum(top_bytes(memory, each) for each in before)
        binned = sum(binned_bytes(memory, each, place.arena_layout) for each in before)
        fast, cached = self._linked_bytes(memory, place, before)
        if arenas(memory, place) != before or mmapped_blocks(memory, place) != (blocks, mapped):
            raise TornError("the arenas had changed at the end of the walk")
        system = sum(each.system_bytes for each in before)
        return HeapReading(
            system_bytes=system,
            in_use_bytes=system - top - binned - fast - cached + mapped,
            binned_bytes=binned,
            fast_bytes=fast,
            top_bytes=top,
            cached_bytes=cached,
            mmapped_bytes=mapped,
            mmapped_blocks=blocks,
            arenas=len(before),
            python_bytes=self._python_bytes(memory),
            cpu_s=time.thread_time() - began_s,
        )

    def _python_bytes(self, memory: ProcessMemory) -> int | None:
        if self._python is None and self._python_tries_left and is_python(memory):
            self._python_tries_left -= 1
            self._python = locate_python_arenas(memory)
        return None if self._python is None else python_bytes_in_use(memory, self._python)

    def _linked_bytes(self, memory: ProcessMemory, place: Place, found: list[ArenaHeader]) -> tuple[int, int]:
        """Add up fastbins and threads' caches; of an unknown version both ways of linking are tried."""
        for mangled in self._mangling:
            try:
                fast = sum(fast_bytes(memory, each, place.arena_layout, mangled=mangled) for each in found)
                cached = self._caches.bytes_cached(memory, mangled=mangled)
            except TornError:
                if mangled is self._mangling[-1]:
                    raise
            else:
                self._mangling = (mangled,) if fast or cached else self._mangling
                return fast, cached
        raise AssertionError("there is one way at least")

"""The chunks that threads keep in caches of their own (tcache): free, but `mallinfo` counts them as in use.

A cache holds up to 7 chunks of each size, some 230 KB a thread, and fills over thousands of requests: with 32
threads the heap in use would seem to creep by megabytes in a server that keeps nothing.

A thread finds its cache through a thread-local pointer, at the same distance from the thread's control block
in every thread. On x86-64 the control block points at itself twice (`tcbhead_t.tcb` and `.self`,
sysdeps/x86_64/nptl/tls.h) and lies above the thread's stack pointer, which the kernel tells of a thread that
waits (`/proc/P/task/T/syscall`). The distance is found by looking for a pointer that leads to a block of the
cache's size whose lists are all in order. On other processors nothing is found, and the caches count as in
use.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soak.sources.heap.layouts import CHUNK_ALIGNMENT_BYTES, SIZE_FLAGS, WORD_BYTES
from soak.sources.heap.process_memory import TornError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from soak.sources.heap.process_memory import ProcessMemory

MOST_ABOVE_BYTES = 256 * 1024
"""How far above its stack pointer a waiting thread's control block is looked for."""
MOST_BELOW_BYTES = 4_096
"""How far below its control block a thread's static variables are looked through."""
SMALL_MAPPING_BYTES = 256 * 1024
"""The main thread's control block lies in an anonymous mapping of its own, smaller than this."""
_SELF_OFFSET_WORDS = 2
_NUMBERS_IN_SYSCALL = 9
_LARGEST_CHUNK_BYTES = 2**23
"""A cached chunk is smaller: 4 MiB and its header at most, since 2.42."""


@dataclass(frozen=True)
class CacheLayout:
    """`struct tcache_perthread_struct`: counts, then one list a size (malloc.c)."""

    chunk_bytes: int
    """Size of the chunk that it is allocated in."""
    bins: int
    count_bytes: int

    @property
    def entries(self) -> int:
        """Offset of the first list's head."""
        return self.bins * self.count_bytes


CACHE_LAYOUTS = {
    each.chunk_bytes: each
    for each in (
        CacheLayout(chunk_bytes=0x250, bins=64, count_bytes=1),  # 2.26 to 2.29
        CacheLayout(chunk_bytes=0x290, bins=64, count_bytes=2),  # 2.30 to 2.41
        CacheLayout(chunk_bytes=0x300, bins=76, count_bytes=2),  # 2.42
    )
}


class ThreadCaches:
    """Adds up the caches of all threads of one process; what is found is remembered by thread."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the process's `/proc` folder."""
        self._folder = folder
        self._main: list[int] | None = None
        self._control_blocks: dict[str, int] = {}
        self._distance: int | None = None

    def bytes_cached(self, memory: ProcessMemory, *, mangled: bool) -> int:
        """Return the bytes in all caches that are found; raises `TornError` for a list that is broken.

        `mangled` says whether links are stored xored with their own address.
        """
        blocks = self._blocks(memory)
        if self._distance is None:
            self._distance = _distance(memory, blocks, mangled=mangled)
        if self._distance is None:
            return 0
        total = 0
        for block in blocks:
            cache = memory.words(block - self._distance, 1)[0]
            layout = _layout_of(memory, cache)
            if layout is not None:
                total += _cached_bytes(memory, cache, layout, mangled=mangled)
        return total

    def _blocks(self, memory: ProcessMemory) -> list[int]:
        if self._main is None:
            self._main = list(_in_small_mappings(memory))
        threads = self._threads()
        known = {name: self._control_blocks.get(name) for name in threads}
        found: dict[str, int] = {}
        for name, before in known.items():
            block = before if before is not None and _is_control_block(memory, before) else None
            block = block or _above_stack_pointer(memory, self._folder / "task" / name)
            if block is not None:
                found[name] = block
        self._control_blocks = found
        return sorted({*self._main, *found.values()})

    def _threads(self) -> list[str]:
        try:
            return [each.name for each in (self._folder / "task").iterdir()]
        except OSError:
            return []


def _in_small_mappings(memory: ProcessMemory) -> Iterator[int]:
    for each in memory.mappings:
        if each.permissions == "rw-p" and not each.path and each.size_bytes <= SMALL_MAPPING_BYTES:
            yield from _control_blocks(memory, each.start, each.end)
        if each.path == "[heap]":  # of a static program
            yield from _control_blocks(memory, each.start, min(each.end, each.start + 2**16))


def _above_stack_pointer(memory: ProcessMemory, task: Path) -> int | None:
    try:
        words = (task / "syscall").read_text().split()
    except OSError:
        return None
    if len(words) != _NUMBERS_IN_SYSCALL:
        return None  # it is running: the kernel does not say where its stack is
    pointer = int(words[-2], 16) // WORD_BYTES * WORD_BYTES
    place = next((each for each in memory.mappings if each.start <= pointer < each.end), None)
    if place is None or place.path:
        return None
    found = list(_control_blocks(memory, pointer, min(place.end, pointer + MOST_ABOVE_BYTES)))
    return found[0] if found else None


def _control_blocks(memory: ProcessMemory, start: int, end: int) -> Iterator[int]:
    """Yield the addresses in a range at which a word and the second one after it hold that address."""
    try:
        words = np.frombuffer(memory.read(start, end - start), dtype="<u8")
    except TornError:
        return
    if words.size <= _SELF_OFFSET_WORDS:
        return
    own = start + WORD_BYTES * np.arange(words.size - _SELF_OFFSET_WORDS, dtype=np.uint64)
    is_block = (words[:-_SELF_OFFSET_WORDS] == own) & (words[_SELF_OFFSET_WORDS:] == own)
    for place in np.flatnonzero(is_block):
        yield int(own[place])


def _is_control_block(memory: ProcessMemory, address: int) -> bool:
    try:
        words = memory.words(address, _SELF_OFFSET_WORDS + 1)
    except TornError:
        return False
    return words[0] == address == words[_SELF_OFFSET_WORDS]


def _distance(memory: ProcessMemory, blocks: list[int], *, mangled: bool) -> int | None:
    """Return how far below its control block a thread's pointer to its cache lies; None where none is."""
    votes: Counter[int] = Counter()
    for block in blocks:
        begins = max(block - MOST_BELOW_BYTES, memory.writable_from(block))
        words = memory.words(begins, (block - begins) // WORD_BYTES)
        for place, word in enumerate(words):
            if _is_cache(memory, word, mangled=mangled):
                votes[block - begins - place * WORD_BYTES] += 1
    return votes.most_common(1)[0][0] if votes else None


def _is_cache(memory: ProcessMemory, address: int, *, mangled: bool) -> bool:
    layout = _layout_of(memory, address)
    if layout is None:
        return False
    try:
        _cached_bytes(memory, address, layout, mangled=mangled)
    except TornError:
        return False
    return True


def _layout_of(memory: ProcessMemory, cache: int) -> CacheLayout | None:
    """Return how the cache at an address is laid out, by the size of its chunk; None where there is none."""
    header = cache - WORD_BYTES
    if cache % CHUNK_ALIGNMENT_BYTES or not cache or not memory.is_writable(header, WORD_BYTES):
        return None
    return CACHE_LAYOUTS.get(memory.words(header, 1)[0] & ~SIZE_FLAGS)


def _cached_bytes(memory: ProcessMemory, cache: int, layout: CacheLayout, *, mangled: bool) -> int:
    heads = memory.words(cache + layout.entries, layout.bins)
    return sum(
        size for entry in heads if entry for size in _list_sizes(memory, entry, layout, mangled=mangled)
    )


def _list_sizes(memory: ProcessMemory, entry: int, layout: CacheLayout, *, mangled: bool) -> Iterator[int]:
    """Yield the sizes of one list's chunks. An entry is a chunk's third word, and begins with the link."""
    seen = 0
    while entry:
        if entry % CHUNK_ALIGNMENT_BYTES or not memory.is_writable(entry - WORD_BYTES, 2 * WORD_BYTES):
            raise TornError("a thread's cache leads to where there is no chunk")
        size, link = memory.words(entry - WORD_BYTES, 2)
        size &= ~SIZE_FLAGS
        seen += 1
        if not 0 < size <= _LARGEST_CHUNK_BYTES or seen >= 256**layout.count_bytes:
            raise TornError("a thread's cache holds what can be no chunk")
        yield size
        entry = link ^ (entry >> 12) if mangled else link

"""Finding glibc's arenas and its count of mapped blocks in a process, without any symbol.

`main_arena` is a static object. An empty bin's two pointers both hold the address of the pair less 16 bytes
(the bin is treated as a chunk, `bin_at` in malloc.c), and some hundred such pairs stand in a row: nothing
else in a program looks like that. A candidate counts only when the ring of arenas that starts at it leads
back to it, every arena's figures are possible, and every top chunk lies in memory that the process may write
to.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soak.sources.heap.layouts import (
    ARENA_LAYOUTS,
    ARENA_TEST,
    BINS,
    CHUNK_ALIGNMENT_BYTES,
    MMAP_THRESHOLD,
    PARAMETERS_LAYOUTS,
    TOP_PAD,
    TRIM_THRESHOLD,
    WORD_BYTES,
    ArenaLayout,
    ParametersLayout,
    by_likelihood,
)
from soak.sources.heap.process_memory import MemoryUnreadableError, TornError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from soak.sources.heap.allocator import Glibc
    from soak.sources.heap.process_memory import Mapping, ProcessMemory

FEWEST_EMPTY_BINS = 16
"""Of 127, even in a heap in pieces; fewer self-pointing pairs in a row are taken for chance."""
MOST_ARENAS = 65_536
"""A longer ring is none."""
LARGEST_SETTING = 2**40
MOST_ARENA_TEST = 1_024
PAGE = 4_096


@dataclass(frozen=True)
class Place:
    """Where glibc's books are in one process; they stay there for its life."""

    main_arena: int
    arena_layout: ArenaLayout
    parameters: int
    """Address of `mp_`."""
    parameters_layout: ParametersLayout


@dataclass(frozen=True)
class ArenaHeader:
    """One arena as it was read."""

    address: int
    raw: bytes
    """All of it: two readings with equal bytes saw no change."""
    top: int
    system_bytes: int
    most_system_bytes: int
    next: int


def locate(memory: ProcessMemory, glibc: Glibc) -> Place:
    """Find the books; raises `MemoryUnreadableError`, with the reason, where they are not to be found."""
    datas = [(each.start, memory.read(each.start, each.size_bytes)) for each in glibc.data]
    for start, data in datas:
        words = np.frombuffer(data[: len(data) // WORD_BYTES * WORD_BYTES], dtype="<u8")
        for layout in by_likelihood(ARENA_LAYOUTS, glibc.version):
            for address in _candidates(words, start, layout):
                if _is_ring(memory, address, layout):
                    found = _parameters(memory, datas, glibc)
                    return Place(address, layout, *found)
    if not glibc.is_certain:
        raise MemoryUnreadableError("no glibc was found in it: it may have another C library, such as musl")
    raise MemoryUnreadableError(
        "glibc's main arena was not recognised: an unknown version, or nothing was allocated yet"
    )


def arenas(memory: ProcessMemory, place: Place) -> list[ArenaHeader]:
    """Return all arenas, the main one first; raises `TornError` where the ring is broken."""
    return list(_ring(memory, place.main_arena, place.arena_layout))


def mmapped_blocks(memory: ProcessMemory, place: Place) -> tuple[int, int]:
    """Return number and bytes of the blocks that are mappings of their own; raises `TornError`."""
    layout = place.parameters_layout
    data = memory.read(place.parameters, layout.size_bytes)
    return _int(data, layout.n_mmaps), _word(data, layout.mmapped_mem)


def _candidates(words: NDArray[np.uint64], start: int, layout: ArenaLayout) -> Iterator[int]:
    """Yield addresses of arenas that the self-pointing pairs in `words` allow."""
    if words.size < 2 * BINS:
        return
    own = start + WORD_BYTES * np.arange(words.size - 1, dtype=np.uint64) - np.uint64(2 * WORD_BYTES)
    empty = (words[:-1] == own) & (words[1:] == own)
    for parity in (0, 1):
        places = np.flatnonzero(empty[parity::2])
        if places.size < FEWEST_EMPTY_BINS:
            continue
        # bins are all empty in the common case: then the first pair is the first bin
        first, last = int(places[0]), int(places[-1])
        for pair in range(first, max(first - BINS, -1), -1):
            if last - pair >= BINS and _empty_from(places, pair) < FEWEST_EMPTY_BINS:
                continue
            address = start + (2 * pair + parity) * WORD_BYTES - layout.bins
            if address >= start:
                yield address


def _empty_from(places: NDArray[np.intp], pair: int) -> int:
    return int(np.count_nonzero((places >= pair) & (places < pair + BINS)))


def _is_ring(memory: ProcessMemory, address: int, layout: ArenaLayout) -> bool:
    try:
        return all(_is_possible(memory, arena, layout) for arena in _ring(memory, address, layout))
    except TornError:
        return False


def _ring(memory: ProcessMemory, main: int, layout: ArenaLayout) -> Iterator[ArenaHeader]:
    address = main
    for _ in range(MOST_ARENAS):
        data = memory.read(address, layout.size_bytes)
        following = _word(data, layout.next)
        yield ArenaHeader(
            address=address,
            raw=data,
            top=_word(data, layout.top),
            system_bytes=_word(data, layout.system_mem),
            most_system_bytes=_word(data, layout.system_mem + WORD_BYTES),
            next=following,
        )
        if following == main:
            return
        if following % WORD_BYTES or not memory.is_writable(following, layout.size_bytes):
            raise TornError(f"the ring of arenas leads to {following:#x}, where there is none")
        address = following
    raise TornError("the ring of arenas has no end")


def _is_possible(memory: ProcessMemory, arena: ArenaHeader, layout: ArenaLayout) -> bool:
    if arena.top == arena.address + layout.bins - 2 * WORD_BYTES:
        return arena.system_bytes == 0  # nothing was allocated from it yet
    return (
        arena.system_bytes <= arena.most_system_bytes < LARGEST_SETTING
        and arena.system_bytes % CHUNK_ALIGNMENT_BYTES == 0
        and arena.top % CHUNK_ALIGNMENT_BYTES == 0
        and memory.is_writable(arena.top, 2 * WORD_BYTES)
        and memory.words(arena.top + WORD_BYTES, 1)[0] <= arena.system_bytes
    )


def _parameters(
    memory: ProcessMemory, datas: list[tuple[int, bytes]], glibc: Glibc
) -> tuple[int, ParametersLayout]:
    """Find `mp_` by what its settings and counters can be; raises `MemoryUnreadableError`."""
    heap = next((each for each in memory.mappings if each.path == "[heap]"), None)
    layouts = by_likelihood(PARAMETERS_LAYOUTS, glibc.version)
    for layout in layouts:
        for start, data in datas:
            for place in range(0, len(data) - layout.size_bytes + 1, WORD_BYTES):
                if _are_parameters(data, place, layout, heap):
                    return start + place, layout
    raise MemoryUnreadableError("glibc's count of mapped blocks was not recognised: an unknown version")


def _are_parameters(data: bytes, place: int, layout: ParametersLayout, heap: Mapping | None) -> bool:
    """Tell whether `mp_` can be at `place`: defaults are 128 KiB thrice, 8 and 65,536, but all may be set."""
    if not 1 <= _word(data, place + ARENA_TEST) <= MOST_ARENA_TEST:
        return False
    if _int(data, place + layout.n_mmaps_max) <= 0:
        return False
    mapped, most_mapped = (_word(data, place + layout.mmapped_mem + each * WORD_BYTES) for each in (0, 1))
    count, most_count = _int(data, place + layout.n_mmaps), _int(data, place + layout.max_n_mmaps)
    sbrk_base = _word(data, place + layout.sbrk_base)
    began = sbrk_base == 0 if heap is None else heap.start <= sbrk_base < heap.end
    return (
        began
        and 0 <= count <= most_count
        and mapped <= most_mapped < LARGEST_SETTING
        and mapped % PAGE == 0
        and most_mapped % PAGE == 0
        and (count == 0) == (mapped == 0)
        and (most_count == 0) == (most_mapped == 0)
        and all(_word(data, place + each) < LARGEST_SETTING for each in (TOP_PAD, MMAP_THRESHOLD))
        and (_word(data, place + TRIM_THRESHOLD) < LARGEST_SETTING)
    )


def _word(data: bytes, offset: int) -> int:
    return int(struct.unpack_from("<Q", data, offset)[0])


def _int(data: bytes, offset: int) -> int:
    return int(struct.unpack_from("<i", data, offset)[0])

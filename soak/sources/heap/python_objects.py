"""Small Python objects: what CPython's own allocator has handed out, read from outside.

Objects of up to 512 bytes are none of malloc's: CPython maps arenas for them and cuts these into pools of one
size class each (`Objects/obmalloc.c`: `struct arena_object`, `struct pool_header`; their fields are the same
from 3.8 to 3.13). Arenas are of 256 KiB with pools of 4 KiB up to 3.9, since then of 1 MiB with pools of
16 KiB. A pool counts its blocks in use, so nothing but its header needs to be read. The free-threaded build
has no such arenas.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soak.sources.heap.layouts import SIZE_FLAGS, WORD_BYTES
from soak.sources.heap.process_memory import TornError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from soak.sources.heap.process_memory import Mapping, ProcessMemory

_ARENA = struct.Struct("<QQII3Q")
"""address, pool_address (the next pool never used), nfreepools, ntotalpools, three pointers."""
_POOL = struct.Struct("<Q3Q4I")
"""Blocks in use, three pointers, arena index, size class, two offsets."""
_SIZES = ((2**20, 2**14), (2**18, 2**12))
"""Bytes of an arena and of a pool: since 3.10, and before."""
_BLOCK_STEP_BYTES = 16
_SIZE_CLASSES = 32
_PYTHON = re.compile(r"/(libpython3[^/]*\.so[^/]*|python3?[^/]*)$")
_LARGEST_DATA_BYTES = 16 * 2**20
"""Of one writable mapping of the interpreter; its static data is some 2 MiB."""
FEWEST_ARENA_OBJECTS, MOST_ARENA_OBJECTS = 16, 2**20
"""The array of arenas begins with 16 entries and doubles."""


@dataclass(frozen=True)
class PythonArenas:
    """Where the interpreter's pointer to its array of arenas is, and how large arenas and pools are.

    Beside the pointer stands the number of entries since 3.12; before, the compiler puts it anywhere, so it
    is taken from the size of the array's chunk.
    """

    pointer: int
    arena_bytes: int
    pool_bytes: int


def is_python(memory: ProcessMemory) -> bool:
    """Tell whether an interpreter is mapped into the process."""
    return any(_PYTHON.search(each.path) for each in memory.mappings)


def locate_python_arenas(memory: ProcessMemory) -> PythonArenas | None:
    """Find the interpreter's arenas; None where the process is no CPython, or has not begun."""
    for mapping in _data_of_python(memory):
        try:
            words = np.frombuffer(memory.read(mapping.start, mapping.size_bytes), dtype="<u8")
        except TornError:
            continue
        possible = memory.are_writable(words, FEWEST_ARENA_OBJECTS * _ARENA.size)
        possible &= words % np.uint64(_BLOCK_STEP_BYTES) == 0
        for place in np.flatnonzero(possible):
            if not _may_be_array(memory, int(words[place])):
                continue
            for arena_bytes, pool_bytes in _SIZES:
                pointer = mapping.start + int(place) * WORD_BYTES
                found = PythonArenas(pointer, arena_bytes, pool_bytes)
                if _are_arenas(memory, found):
                    return found
    return None


def python_bytes_in_use(memory: ProcessMemory, where: PythonArenas) -> int:
    """Return the bytes of all blocks handed out, by their size class; raises `TornError`."""
    return sum(
        _pool_bytes_in_use(memory, pool)
        for address, next_pool in _arenas(memory, where)
        for pool in range(_first_pool(address, where), next_pool, where.pool_bytes)
    )


def _data_of_python(memory: ProcessMemory) -> Iterator[Mapping]:
    before: Mapping | None = None
    for each in memory.mappings:
        own = _PYTHON.search(each.path) is not None
        follows = before is not None and not each.path and each.start == before.end
        before = each if own or follows else None
        small = each.size_bytes <= _LARGEST_DATA_BYTES
        if (own or follows) and each.permissions.startswith("rw") and small:
            yield each


def _may_be_array(memory: ProcessMemory, address: int) -> bool:
    """Tell by the size of its chunk whether an array of arenas can be there: most pointers end here."""
    try:
        return _entries(memory, address) > 0
    except TornError:
        return False


def _are_arenas(memory: ProcessMemory, where: PythonArenas) -> bool:
    try:
        found = list(_arenas(memory, where))
    except TornError:
        return False
    return bool(found)


def _arenas(memory: ProcessMemory, where: PythonArenas) -> Iterator[tuple[int, int]]:
    """Yield address and first never used pool of each arena; raises `TornError` for what can be none."""
    array = memory.words(where.pointer, 1)[0]
    count = _entries(memory, array)
    if not memory.is_writable(array, count * _ARENA.size):
        raise TornError("the array of Python's arenas is not writable")
    pools_at_most = where.arena_bytes // where.pool_bytes
    for entry in _ARENA.iter_unpack(memory.read(array, count * _ARENA.size)):
        address, next_pool, free, total, *_ = entry
        if address == 0:
            continue
        inside = memory.is_writable(address, where.arena_bytes)
        cut = address <= next_pool <= address + where.arena_bytes and next_pool % where.pool_bytes == 0
        if not (inside and cut and pools_at_most - 1 <= total <= pools_at_most and free <= total):
            raise TornError("an entry of Python's arenas is none")
        yield address, next_pool


def _entries(memory: ProcessMemory, array: int) -> int:
    """Return how many entries the array has: malloc's header before it says how large it is."""
    chunk_bytes = memory.words(array - WORD_BYTES, 1)[0] & ~SIZE_FLAGS
    room = (chunk_bytes - 2 * WORD_BYTES) // _ARENA.size
    if not FEWEST_ARENA_OBJECTS <= room <= 2 * MOST_ARENA_OBJECTS:
        raise TornError("there is no array of Python's arenas")
    return 1 << (room.bit_length() - 1)


def _first_pool(address: int, where: PythonArenas) -> int:
    """Pools lie on multiples of their size; an arena that does not begin on one has a pool less."""
    return -(-address // where.pool_bytes) * where.pool_bytes


def _pool_bytes_in_use(memory: ProcessMemory, pool: int) -> int:
    blocks, *_, size_class, _, _ = _POOL.unpack(memory.read(pool, _POOL.size))
    blocks &= 0xFFFFFFFF  # the count is the low half of a union
    if not blocks:
        return 0
    if size_class >= _SIZE_CLASSES:
        raise TornError("a pool of Python's with no size class")
    return int(blocks * (size_class + 1) * _BLOCK_STEP_BYTES)

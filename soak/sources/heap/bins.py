"""Adding up an arena's free chunks: its bins, its fastbins, its top."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from soak.sources.heap.layouts import (
    BINS,
    CHUNK_ALIGNMENT_BYTES,
    FASTBINS,
    FD_OFFSET_BYTES,
    SIZE_FLAGS,
    WORD_BYTES,
)
from soak.sources.heap.process_memory import TornError

if TYPE_CHECKING:
    from soak.sources.heap.arenas import ArenaHeader
    from soak.sources.heap.layouts import ArenaLayout
    from soak.sources.heap.process_memory import ProcessMemory

_CHUNK = struct.Struct("<4Q")
"""Size of the chunk before, own size with flags, forward pointer, backward pointer."""
_SMALLEST_CHUNK_BYTES = 32
_ADDRESS_BITS_OF_MANGLING = 12


def top_bytes(memory: ProcessMemory, arena: ArenaHeader) -> int:
    """Return the size of the chunk at the end of the arena; 0 for an arena that never had memory."""
    size = memory.words(arena.top + WORD_BYTES, 1)[0] & ~SIZE_FLAGS
    return _possible(size, arena) if size else 0


def binned_bytes(memory: ProcessMemory, arena: ArenaHeader, layout: ArenaLayout) -> int:
    """Return the bytes in the 127 bins (unsorted, small and large); raises `TornError` for a broken list.

    Every link is followed backward, as glibc's own `mallinfo` does, and must be answered by a forward one.
    """
    total = 0
    for number in range(BINS):
        offset = layout.bins + number * 2 * WORD_BYTES
        pseudo_chunk = arena.address + offset - FD_OFFSET_BYTES
        newest = int(struct.unpack_from("<Q", arena.raw, offset + WORD_BYTES)[0])
        total += _bin_bytes(memory, pseudo_chunk, newest, arena.system_bytes - total)
    return total


def _bin_bytes(memory: ProcessMemory, pseudo_chunk: int, newest: int, at_most: int) -> int:
    """Add up one bin. A heap in pieces has a million chunks in it: what is done for each counts."""
    total, chunk, came_from = 0, newest, pseudo_chunk
    read, unpack = memory.read, _CHUNK.unpack
    while chunk != pseudo_chunk:
        _, size, forward, backward = unpack(read(chunk, _SMALLEST_CHUNK_BYTES))
        size &= ~SIZE_FLAGS
        # a chunk that is answered by the one before it, all the way round, is no chance find
        if forward != came_from or size < _SMALLEST_CHUNK_BYTES:
            raise TornError("a bin's chunks do not point at each other")
        total += size
        if total > at_most:
            raise TornError("a bin holds more than its arena")
        chunk, came_from = backward, chunk
    return total


def fast_bytes(memory: ProcessMemory, arena: ArenaHeader, layout: ArenaLayout, *, mangled: bool) -> int:
    """Return the bytes in the fastbins, 0 where this version has none; raises `TornError`.

    `mangled` says whether links are stored xored with their own address (safe-linking).
    """
    if layout.fastbins is None:
        return 0
    total = 0
    for number in range(FASTBINS):
        chunk = int(struct.unpack_from("<Q", arena.raw, layout.fastbins + number * WORD_BYTES)[0])
        while chunk:
            size, link, _ = _chunk(memory, chunk)
            total += size
            if total > arena.system_bytes:
                raise TornError("a fastbin holds more than its arena")
            at = chunk + FD_OFFSET_BYTES
            chunk = link ^ (at >> _ADDRESS_BITS_OF_MANGLING) if mangled else link
    return total


def _chunk(memory: ProcessMemory, address: int) -> tuple[int, int, int]:
    """Return size, forward and backward pointer of a free chunk."""
    if address % CHUNK_ALIGNMENT_BYTES or not memory.is_writable(address, _CHUNK.size):
        raise TornError(f"a list of free chunks leads to {address:#x}, where there can be none")
    _, size, forward, backward = _CHUNK.unpack(memory.read(address, _CHUNK.size))
    size &= ~SIZE_FLAGS
    if size < _SMALLEST_CHUNK_BYTES or size % CHUNK_ALIGNMENT_BYTES:
        raise TornError(f"a free chunk of {size} bytes")
    return size, forward, backward


def _possible(size: int, arena: ArenaHeader) -> int:
    if size > arena.system_bytes or size % CHUNK_ALIGNMENT_BYTES:
        raise TornError(f"a top chunk of {size} bytes in an arena of {arena.system_bytes}")
    return size

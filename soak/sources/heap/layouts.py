"""Where glibc keeps its books, by version: one table for 64-bit machines (x86-64 and aarch64 alike).

Offsets were read from `malloc/malloc.c` and `malloc/arena.c` of the glibc releases named in each entry
(`struct malloc_state`, `struct malloc_par`). Both processors have 8-byte words, 16-byte chunks, 10 fastbins
and 128 bins, so the offsets are the same. Distributions carry fixes back to older releases, so a layout is
never taken on the word of a version: it is tried, and must agree with what the memory shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

WORD_BYTES = 8
"""SIZE_SZ on a 64-bit machine."""
CHUNK_ALIGNMENT_BYTES = 16
"""MALLOC_ALIGNMENT."""
SIZE_FLAGS = 0x7
"""PREV_INUSE, IS_MMAPPED and NON_MAIN_ARENA: the low bits of a chunk's size."""
FASTBINS = 10
"""NFASTBINS."""
BINS = 127
"""NBINS - 1: bin 0 does not exist. Each is a pair of pointers."""
BINMAP_BYTES = 16
"""BINMAPSIZE words of 32 bits."""
FD_OFFSET_BYTES = 16
"""A free chunk: size of the one before, own size, forward pointer, backward pointer."""


@dataclass(frozen=True)
class ArenaLayout:
    """`struct malloc_state`; offsets in bytes from its start."""

    since: tuple[int, int]
    """First release with it."""
    fastbins: int | None
    """None where fast chunks are gone: they went with the development tree after 2.42."""
    top: int
    bins: int
    has_attached_threads: bool
    """A counter between `next_free` and `system_mem`."""

    @property
    def next(self) -> int:
        """The next arena of the ring."""
        return self.bins + BINS * 2 * WORD_BYTES + BINMAP_BYTES

    @property
    def system_mem(self) -> int:
        """Bytes that the arena got from the system; behind it the most it ever had."""
        return self.next + (3 if self.has_attached_threads else 2) * WORD_BYTES

    @property
    def size_bytes(self) -> int:
        """How much of it is read."""
        return self.system_mem + 2 * WORD_BYTES


ARENA_LAYOUTS = (
    ArenaLayout(since=(2, 43), fastbins=None, top=8, bins=24, has_attached_threads=True),
    ArenaLayout(since=(2, 27), fastbins=16, top=96, bins=112, has_attached_threads=True),
    ArenaLayout(since=(2, 23), fastbins=8, top=88, bins=104, has_attached_threads=True),
    ArenaLayout(since=(2, 17), fastbins=8, top=88, bins=104, has_attached_threads=False),
)
"""Newest first. 2.27 put `have_fastchunks` before the fastbins."""


@dataclass(frozen=True)
class ParametersLayout:
    """`struct malloc_par` (the object `mp_`); offsets in bytes from its start."""

    since: tuple[int, int]
    """First release with it."""
    n_mmaps: int
    n_mmaps_max: int
    max_n_mmaps: int
    mmapped_mem: int
    """Bytes of blocks that are mappings of their own; behind it the most there ever were."""
    sbrk_base: int

    @property
    def size_bytes(self) -> int:
        """How much of it is read."""
        return self.sbrk_base + WORD_BYTES


TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD, ARENA_TEST = 0, 8, 16, 24
"""Offsets in bytes of the settings that every `malloc_par` begins with."""
PARAMETERS_LAYOUTS = (
    ParametersLayout((2, 43), n_mmaps=68, n_mmaps_max=72, max_n_mmaps=76, mmapped_mem=88, sbrk_base=104),
    ParametersLayout((2, 35), n_mmaps=60, n_mmaps_max=64, max_n_mmaps=68, mmapped_mem=80, sbrk_base=96),
    ParametersLayout((2, 24), n_mmaps=40, n_mmaps_max=44, max_n_mmaps=48, mmapped_mem=56, sbrk_base=72),
    ParametersLayout((2, 17), n_mmaps=40, n_mmaps_max=44, max_n_mmaps=48, mmapped_mem=56, sbrk_base=80),
)
"""Newest first. 2.35 put huge-page settings before the counters; builds without tunables lack them."""
LINKS_ARE_MANGLED_SINCE = (2, 32)
"""From here on a fastbin's link is stored as `link ^ (address of the link >> 12)` (safe-linking)."""
LayoutT = TypeVar("LayoutT", ArenaLayout, ParametersLayout)
OLDEST = (2, 17)
"""Older releases than this are not read."""


def by_likelihood(layouts: tuple[LayoutT, ...], version: tuple[int, int] | None) -> list[LayoutT]:
    """Return all `layouts`, those first that `version` should have; any order where it is not known."""
    return sorted(layouts, key=lambda each: version is not None and each.since > version)

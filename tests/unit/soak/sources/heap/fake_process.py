"""A `/proc` folder of a process that never was, with glibc's books laid out as any release has them."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from soak.sources.heap.layouts import (
    ARENA_TEST,
    BINS,
    FASTBINS,
    MMAP_THRESHOLD,
    TOP_PAD,
    TRIM_THRESHOLD,
    WORD_BYTES,
)

if TYPE_CHECKING:
    from pathlib import Path

    from soak.sources.heap.layouts import ArenaLayout, ParametersLayout

LIBC_TEXT, LIBC_DATA, HEAP = 0x100000, 0x140000, 0x200000
DATA_BYTES, HEAP_BYTES = 0x4000, 0x80000
MAIN_ARENA, PARAMETERS = LIBC_DATA + 0x400, LIBC_DATA + 0x80
TOP = HEAP + 0x60000


@dataclass
class FakeProcess:
    """Its memory by address, and the text of its `maps`."""

    arena: ArenaLayout
    parameters: ParametersLayout
    version: str
    mangled: bool
    memory: dict[int, bytes] = field(default_factory=dict)

    def put(self, address: int, *words: int) -> None:
        """Write words of 8 bytes."""
        self.memory[address] = struct.pack(f"<{len(words)}Q", *words)

    def lay_out(self, binned: list[int], fast: list[int], mapped: int) -> FakeProcess:
        """Put free chunks of these sizes into the unsorted bin and the first fastbin, and all the headers."""
        a = self.arena
        self.put(MAIN_ARENA, 0, 0)
        self.memory[LIBC_TEXT] = b"\x7fELF\x02" + bytes(59)
        banner = f"GNU C Library (Debian GLIBC {self.version}-9) stable release version {self.version}."
        self.memory[LIBC_TEXT + 0x1000] = banner.encode()
        self.put(MAIN_ARENA + a.top, TOP, 0)
        for number in range(BINS):
            place = MAIN_ARENA + a.bins + number * 2 * WORD_BYTES
            self.put(place, place - 16, place - 16)
        self._bin(binned)
        if a.fastbins is not None:
            self._fastbin(a.fastbins, fast)
        self.put(MAIN_ARENA + a.next, MAIN_ARENA, *([0] * (a.system_mem - a.next - 8 >> 3)))
        self.put(MAIN_ARENA + a.system_mem, HEAP_BYTES, HEAP_BYTES)
        self.put(TOP, 0, (HEAP + HEAP_BYTES - TOP) | 1)
        self._parameters(mapped)
        return self

    def _bin(self, sizes: list[int]) -> None:
        place = MAIN_ARENA + self.arena.bins
        pseudo = place - 16
        chunks = [HEAP + 0x1000 + number * 0x1000 for number in range(len(sizes))]
        ring = [pseudo, *chunks, pseudo]
        for number, size in enumerate(sizes, start=1):
            # followed backward from the bin: the last put in comes first
            self.put(ring[number], 0, size | 1, ring[number - 1], ring[number + 1])
        if chunks:
            self.put(place, chunks[-1], chunks[0])

    def _fastbin(self, offset: int, sizes: list[int]) -> None:
        chunks = [HEAP + 0x40000 + number * 0x100 for number in range(len(sizes))]
        heads = [chunks[0] if chunks else 0, *([0] * (FASTBINS - 1))]
        self.put(MAIN_ARENA + offset, *heads)
        for chunk, size, link in zip(chunks, sizes, [*chunks[1:], 0][: len(chunks)], strict=True):
            stored = link ^ ((chunk + 16) >> 12) if self.mangled else link
            self.put(chunk, 0, size | 1, stored, 0)

    def _parameters(self, mapped: int) -> None:
        p = self.parameters
        for offset, value in ((TRIM_THRESHOLD, 2**17), (TOP_PAD, 2**17), (MMAP_THRESHOLD, 2**17)):
            self.put(PARAMETERS + offset, value)
        self.put(PARAMETERS + ARENA_TEST, 8)
        for offset, count in ((p.n_mmaps, 1 if mapped else 0), (p.n_mmaps_max, 65536)):
            self.memory[PARAMETERS + offset] = struct.pack("<i", count)
        self.memory[PARAMETERS + p.max_n_mmaps] = struct.pack("<i", 1 if mapped else 0)
        self.put(PARAMETERS + p.mmapped_mem, mapped, mapped)
        self.put(PARAMETERS + p.sbrk_base, HEAP)

    def write(self, folder: Path, *, libc: str = "/usr/lib/libc.so.6", also: str = "") -> Path:
        """Write `maps` and `mem` into `folder`; `also` is one more line of `maps`."""
        lines = [
            f"{LIBC_TEXT:x}-{LIBC_TEXT + 0x2000:x} r--p 00000000 08:01 77 {libc}",
            f"{LIBC_DATA:x}-{LIBC_DATA + DATA_BYTES:x} rw-p 00002000 08:01 77 {libc}",
            f"{HEAP:x}-{HEAP + HEAP_BYTES:x} rw-p 00000000 00:00 0 [heap]",
        ]
        (folder / "maps").write_text("\n".join([*lines, *([also] if also else [])]) + "\n")
        with (folder / "mem").open("wb") as stream:
            stream.truncate(HEAP + HEAP_BYTES)
            for address, data in self.memory.items():
                stream.seek(address)
                stream.write(data)
        return folder

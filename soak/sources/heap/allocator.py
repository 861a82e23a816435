"""Which allocator a process has, by what is mapped into it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.sources.heap.process_memory import TornError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from soak.sources.heap.process_memory import Mapping, ProcessMemory

_ELF_MAGIC = b"\x7fELF"
_ELF_CLASS_64 = 2
_GLIBC_FILE = re.compile(r"/libc(-2\.\d+\.so|\.so\.6)$")
_BANNER = re.compile(rb"GNU C Library [^\0]{0,120}?release version (\d+)\.(\d+)")
_SIGNS = (
    (b"\xff Go buildinf:", "it is a Go program, whose heap is the Go runtime's own"),
    (
        b"<jemalloc>: ",  # how its messages begin
        "its allocator is jemalloc, linked into the program, and only glibc's malloc is read",
    ),
)
"""What in a program tells that malloc is not glibc's. mimalloc's do not: CPython carries it unused."""
_OTHERS = (
    (re.compile(r"/libjemalloc[^/]*\.so"), "jemalloc"),
    (re.compile(r"/libmimalloc[^/]*\.so"), "mimalloc"),
    (re.compile(r"/libtcmalloc[^/]*\.so"), "tcmalloc"),
    (re.compile(r"/ld-musl-[^/]*\.so|/libc\.musl-[^/]*\.so|-linux-musl[^/]*/libc\.so$"), "musl's malloc"),
)
"""Libraries that bring a malloc of their own: with one of them glibc's books say next to nothing."""
MOST_SEARCHED_BYTES = 64 * 2**20
"""Of one mapping. glibc's own data is some tens of kilobytes; a static program's is rarely larger."""


@dataclass(frozen=True)
class Glibc:
    """A process that uses glibc's malloc."""

    version: tuple[int, int] | None
    """From glibc's own banner; None where there is none to be found."""
    data: tuple[Mapping, ...]
    """The writable mappings in which its static objects lie."""
    is_certain: bool = True
    """Whether it was seen by its file; a program without one may have glibc linked into it, or none."""


@dataclass(frozen=True)
class Foreign:
    """A process with another allocator, or one that cannot be looked into; `reason` says so in one line."""

    reason: str


def allocator_of(memory: ProcessMemory) -> Glibc | Foreign:
    """Recognise the allocator of a process."""
    program = memory.mappings[0]
    head = _head(memory, program)
    if head[:4] == _ELF_MAGIC and head[4] != _ELF_CLASS_64:
        return Foreign("it is a 32-bit program, and only 64-bit heaps are read")
    for pattern, name in _OTHERS:
        if any(pattern.search(each.path) for each in memory.mappings):
            return Foreign(f"its allocator is {name}, and only glibc's malloc is read")
    own = [each for each in memory.mappings if each.path == program.path]
    for data in _contents(memory, own):
        for sign, reason in _SIGNS:
            if sign in data:
                return Foreign(reason)
    libc = [each for each in memory.mappings if _GLIBC_FILE.search(each.path.removesuffix(" (deleted)"))]
    if libc:
        return Glibc(_version(memory, libc), _data_of(memory.mappings, libc[0].path))
    return Glibc(None, _data_of(memory.mappings, program.path), is_certain=False)


def _data_of(mappings: Iterable[Mapping], path: str) -> tuple[Mapping, ...]:
    """Return the writable mappings of a file, with what follows them directly (bss)."""
    found: list[Mapping] = []
    for each in mappings:
        follows = bool(found) and not each.path and each.start == found[-1].end
        if (each.path == path or follows) and each.permissions.startswith("rw"):
            found.append(each)
    return tuple(found)


def _version(memory: ProcessMemory, mappings: list[Mapping]) -> tuple[int, int] | None:
    for data in _contents(memory, mappings):
        banner = _BANNER.search(data)
        if banner is not None:
            return int(banner[1]), int(banner[2])
    return None


def _contents(memory: ProcessMemory, mappings: list[Mapping]) -> Iterable[bytes]:
    """Read what of a file is mapped readable, constants first."""
    for each in sorted(mappings, key=lambda mapping: mapping.permissions != "r--p"):
        if each.permissions.startswith("r") and each.size_bytes <= MOST_SEARCHED_BYTES:
            try:
                yield memory.read(each.start, each.size_bytes)
            except TornError:  # a page behind the end of a file
                continue


def _head(memory: ProcessMemory, program: Mapping) -> bytes:
    try:
        return memory.read(program.start, 8)
    except TornError:
        return bytes(8)

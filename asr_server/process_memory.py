"""What the kernel and glibc say about this process's memory; None where they say nothing."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_STAT: Final = Path("/proc/self/stat")


@dataclass(frozen=True)
class HeapUsage:
    """glibc's account of malloc, over all its arenas (mallinfo2(3)).

    `in_use_bytes` is uordblks + hblkhd: chunks handed out, mmapped ones included. Chunks in a thread's cache
    (tcache) count too, so with many threads it creeps up for thousands of connections while the caches fill;
    GLIBC_TUNABLES=glibc.malloc.tcache_count=0 tells that from a leak. `free_bytes` is fordblks: free, but
    kept by malloc. `arena_bytes` is what malloc got from the system other than by mmap. Small Python
    objects are not in it: pymalloc has its own arenas.
    """

    in_use_bytes: int
    free_bytes: int
    arena_bytes: int


@dataclass(frozen=True)
class ProcessUsage:
    """Resident memory in bytes and the number of threads, from /proc/self/stat."""

    resident_memory_bytes: int
    threads: int


class _MallInfo2(ctypes.Structure):
    """`struct mallinfo2`: ten size_t in this order."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd",
            "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
        )
    )  # fmt: skip


class _SymbolInfo(ctypes.Structure):
    """`Dl_info` of dladdr(3): which library a symbol comes from."""

    _fields_ = (
        ("library_path", ctypes.c_char_p),
        ("library_base", ctypes.c_void_p),
        ("symbol", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


_SMALL_OBJECT_BYTES: Final = 460
"""With its header in the size class of 512, the largest one CPython serves from arenas."""
_ARENA_STRETCH_BYTES: Final = 128 * 1024
"""Half of the smallest arena: every arena has a stretch of its own."""
_reserved: list[bytes] = []

_libc = ctypes.CDLL(None)
_mallinfo2 = getattr(_libc, "mallinfo2", None)
if _mallinfo2 is not None:
    _mallinfo2.argtypes, _mallinfo2.restype = (), _MallInfo2
_malloc = _libc.malloc
_malloc.argtypes, _malloc.restype = (ctypes.c_size_t,), ctypes.c_void_p
_libc.free.argtypes, _libc.free.restype = (ctypes.c_void_p,), None
_malloc_trim = getattr(_libc, "malloc_trim", None)
if _malloc_trim is not None:
    _malloc_trim.argtypes, _malloc_trim.restype = (ctypes.c_size_t,), ctypes.c_int


def read_heap_usage() -> HeapUsage | None:
    """Ask mallinfo2; None without it (glibc before 2.33, musl), and where another malloc serves."""
    if _mallinfo2 is None or _another_malloc_serves():
        return None
    info = _mallinfo2()
    return HeapUsage(info.uordblks + info.hblkhd, info.fordblks, info.arena)


@cache
def _another_malloc_serves() -> bool:
    """Whether malloc is not the C library's (LD_PRELOAD): then its own statistics are of an unused heap."""
    bases = []
    for name in ("malloc", "mallinfo2"):
        info = _SymbolInfo()
        if not _libc.dladdr(ctypes.cast(getattr(_libc, name), ctypes.c_void_p), ctypes.byref(info)):
            return False
        bases.append(info.library_base)
    return bool(bases[0] != bases[1])


def trim_heap() -> bool:
    """Give free heap memory back to the kernel; False on a C library without malloc_trim."""
    if _malloc_trim is None:
        return False
    _malloc_trim(0)
    return True


def raise_heap_thresholds(block_bytes: int = 16 * 2**20) -> None:
    """Let glibc keep up to twice `block_bytes` at the top of its heaps, as after loading a large model.

    glibc raises the sizes from which it maps blocks singly, and gives the top of a heap back, when a mapped
    block is freed: to that block's size and twice that (mallopt(3), M_MMAP_THRESHOLD; at most 32 MiB). A
    large model does so by being loaded. The tiny one's files are about as large as what one recognition
    needs, so chance would decide from one connection to the next whether some MiB go back. Where the
    environment sets one of the thresholds they stay.
    """
    _libc.free(_malloc(block_bytes))


def reserve_python_arenas(size_bytes: int = 4 * 2**20) -> None:
    """Let CPython keep `size_bytes` of arenas for small objects, for as long as the process lives.

    CPython maps small objects' memory in arenas of 1 MiB (256 KiB before 3.10) and unmaps one when its last
    object goes. A server near that border would gain and lose 1 MiB from one moment to the next, which hides
    what its connections do. One object left in every pool-sized stretch keeps the arenas; they fill up later.
    """
    objects = sorted((bytes(_SMALL_OBJECT_BYTES) for _ in range(size_bytes // 512)), key=id)
    kept, last = [], 0
    for item in objects:
        if id(item) - last >= _ARENA_STRETCH_BYTES:
            kept.append(item)
            last = id(item)
    _reserved.extend(kept)


def read_process_usage() -> ProcessUsage | None:
    """Read resident memory and threads in one go; None where there is no /proc."""
    try:
        text = _STAT.read_bytes()
    except OSError:
        return None
    fields = text[
        text.rindex(b")") + 2 :
    ].split()  # the name in parentheses may hold spaces; proc_pid_stat(5)
    return ProcessUsage(int(fields[21]) * _PAGE_BYTES, int(fields[17]))

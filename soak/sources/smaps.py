"""Where a process's resident memory is: `/proc/P/smaps`, summed by class of mapping.

The kernel does not say what a mapping is for. What is known of glibc and of the kernel names most of it:

- a thread's malloc arena (glibc, malloc/arena.c) reserves 64 MiB that begin on a multiple of 64 MiB; what is
  in use is readable and writable, the rest up to the next multiple has no permissions;
- a thread's stack (glibc, nptl/allocatestack.c) lies behind a guard of a few pages without permissions, and
  the stack pointer of a thread that waits in the kernel points into it (`/proc/P/task/T/syscall`);
- what a library keeps in static variables beyond its file (bss) follows its last mapping.

What can go wrong: an older kernel may merge a stack with the anonymous mapping above it; then what is beyond
the stack's greatest size counts as anonymous. A block of exactly 64 MiB on such a border is taken for a full
arena.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

ARENA_BYTES = 64 * 2**20
"""HEAP_MAX_SIZE of glibc on 64-bit machines with the default `DEFAULT_MMAP_THRESHOLD_MAX` of 32 MiB."""
LARGEST_GUARD_BYTES = 2**20
"""glibc's default guard is one page; programs ask for some more, but not for this much."""
DEFAULT_STACK_BYTES = 8 * 2**20
"""What a thread's stack takes where `/proc/P/limits` does not say."""
_CLASS_OF_START = (
    (b"[heap]", "heap"),
    (b"[stack", "stacks"),
    (b"[anon", "anonymous"),  # named by its program (PR_SET_VMA_ANON_NAME)
    (b"[", "other"),
    *((start, "shared") for start in (b"/dev/shm/", b"/memfd:", b"/SYSV", b"/dev/zero", b"anon_inode:")),
)
"""What the kernel writes in place of a file's path, and paths that stand for shared memory."""
DELETED = b" (deleted)"

_MAPPING = re.compile(
    rb"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+) *([^\n]*)\n"
    rb"(?:(?!Rss).*\n)*?Rss: +(\d+) kB\n"
    rb"Pss: +(\d+) kB\n"
    rb"(?:(?!Private_Clean).*\n)*?Private_Clean: +(\d+) kB\n"
    rb"Private_Dirty: +(\d+) kB\n"
    rb"(?:(?!Anonymous).*\n)*?Anonymous: +(\d+) kB\n"
    rb"(?:(?!LazyFree|AnonHuge).*\n)*?(?:LazyFree: +(\d+) kB\n)?"
    rb"AnonHugePages: +(\d+) kB\n",
    re.MULTILINE,
)
_NUMBERS_IN_SYSCALL = 9
"""A thread that waits in a system call: its number, six arguments, stack pointer, instruction pointer."""
_PERMISSIONS_OF_DATA = b"rw-p"
_NO_PERMISSIONS = b"---p"


@dataclass(frozen=True)
class MappingReading:
    """Resident bytes by class, summed over a process tree; the fields are columns of `samples.csv`."""

    map_rss_bytes: int
    """All classes together."""
    map_kernel_rss_bytes: int
    """VmRSS of `/proc/P/status`, read right after."""
    map_heap_bytes: int
    """The main heap, that of `brk`."""
    map_arenas_bytes: int
    """glibc's malloc arenas of threads."""
    map_stacks_bytes: int
    """Stacks of all threads, the main one's included."""
    map_anonymous_bytes: int
    """Other private anonymous memory: large blocks of malloc, Python's own arenas."""
    map_libraries_bytes: int
    """Programs and shared libraries, with the pages of them that were written to."""
    map_files_bytes: int
    """Other mapped files, such as models."""
    map_shared_bytes: int
    """Shared memory: /dev/shm, memfd, System V, shared anonymous mappings."""
    map_deleted_bytes: int
    """Mapped files that have been deleted."""
    map_other_bytes: int
    """What the kernel itself puts there (vdso, vvar)."""
    map_arenas: int
    """How many malloc arenas' heaps there are."""
    map_stacks: int
    """How many stacks."""
    lazy_free_bytes: int
    """Pages the program has given up (MADV_FREE), which the kernel counts until it needs them."""
    anon_huge_bytes: int
    """Anonymous memory in transparent huge pages."""
    pss_bytes: int
    """Resident memory, that of shared pages divided by those who share them."""
    uss_bytes: int
    """Resident memory nobody else maps."""


COLUMNS_OF_READING = tuple(field.name for field in fields(MappingReading))


@dataclass
class _Mapping:
    """One mapping; sizes in bytes."""

    start: int
    end: int
    permissions: bytes
    inode: int
    path: bytes
    rss: int
    pss: int
    private: int
    anonymous: int
    lazy_free: int
    huge: int


def read_mappings(folder: Path, stack_pointers: Iterable[int] = ()) -> MappingReading | None:
    """Read the mappings of the process whose `/proc` folder is `folder`.

    Costs about 10 ms per GB of RSS, during which the process cannot map memory. None where it may not be
    read, or when the process is gone.
    """
    try:
        text = (folder / "smaps").read_bytes()
        status = (folder / "status").read_bytes()
        limits = (folder / "limits").read_bytes()
    except OSError:
        return None
    rss = re.search(rb"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    if not text or rss is None:
        return None
    stack = re.search(rb"^Max stack size +(\d+) ", limits, re.MULTILINE)
    stack_bytes = DEFAULT_STACK_BYTES if stack is None else int(stack[1])
    return classify(text, stack_pointers, stack_bytes=stack_bytes, kernel_rss_bytes=int(rss[1]) * 1024)


def stack_pointers(folder: Path) -> list[int]:
    """Return where the threads' stacks are, as far as they wait in the kernel and it may be read."""
    found = []
    try:
        threads = list((folder / "task").iterdir())
    except OSError:
        return []
    for thread in threads:
        try:
            words = (thread / "syscall").read_text().split()
        except OSError:
            continue
        if len(words) == _NUMBERS_IN_SYSCALL:
            found.append(int(words[-2], 16))
    return found


def classify(
    smaps: bytes, pointers: Iterable[int] = (), *, stack_bytes: int, kernel_rss_bytes: int
) -> MappingReading:
    """Sum the text of `/proc/P/smaps` by class.

    `pointers` are known stack pointers of threads, `stack_bytes` is the greatest size of a thread's stack.
    """
    mappings = list(_parse(smaps))
    sums = {field.name: 0 for field in fields(MappingReading)}
    sums["map_kernel_rss_bytes"] = kernel_rss_bytes
    programs = {each.inode for each in mappings if each.inode and b"x" in each.permissions}
    waiting = sorted(pointers)
    for number, each in enumerate(mappings):
        before = mappings[number - 1] if number else None
        after = mappings[number + 1] if number + 1 < len(mappings) else None
        for name, rss in _shares(each, before, after, programs, waiting, stack_bytes):
            sums[f"map_{name}_bytes"] += rss
            if name in {"arenas", "stacks"}:
                sums[f"map_{name}"] += 1
        sums["map_rss_bytes"] += each.rss
        sums["pss_bytes"] += each.pss
        sums["uss_bytes"] += each.private
        sums["lazy_free_bytes"] += each.lazy_free
        sums["anon_huge_bytes"] += each.huge
    return MappingReading(**sums)


def added(readings: Iterable[MappingReading]) -> MappingReading | None:
    """Add up the readings of several processes; None of none."""
    rows = [[getattr(reading, name) for name in COLUMNS_OF_READING] for reading in readings]
    return MappingReading(*map(sum, zip(*rows, strict=True))) if rows else None


def _parse(smaps: bytes) -> Iterator[_Mapping]:
    for start, end, permissions, inode, path, *sizes in _MAPPING.findall(smaps):
        rss, pss, clean, dirty, anonymous, lazy_free, huge = (int(size or 0) * 1024 for size in sizes)
        yield _Mapping(
            int(start, 16), int(end, 16), permissions, int(inode), path,
            rss, pss, clean + dirty, anonymous, lazy_free, huge,
        )  # fmt: skip


def _shares(
    each: _Mapping,
    before: _Mapping | None,
    after: _Mapping | None,
    programs: set[int],
    waiting: list[int],
    stack_bytes: int,
) -> list[tuple[str, int]]:
    """Return to which classes a mapping belongs, with the resident bytes of each."""
    if each.path:
        return [(_class_of_path(each, programs), each.rss)]
    if each.permissions != _PERMISSIONS_OF_DATA:
        return [("anonymous", each.rss)] if each.rss else []
    arena_bytes = _arena_part(each, after)
    if arena_bytes:
        in_arena = min(each.rss, arena_bytes)
        return [("arenas", in_arena), ("anonymous", each.rss - in_arena)]
    guarded = (
        before is not None
        and before.end == each.start
        and before.permissions == _NO_PERMISSIONS
        and not before.path
        and before.end - before.start <= LARGEST_GUARD_BYTES
    )
    if guarded or any(each.start <= pointer < each.end for pointer in waiting):
        on_stack = min(each.rss, stack_bytes)
        return [("stacks", on_stack), ("anonymous", each.rss - on_stack)]
    follows_a_library = before is not None and before.end == each.start and before.inode in programs
    return [("libraries" if follows_a_library else "anonymous", each.rss)]


def _arena_part(each: _Mapping, after: _Mapping | None) -> int:
    """Return how many bytes at the end of a writable mapping are the used part of a glibc arena."""
    border = each.end // ARENA_BYTES * ARENA_BYTES
    if (
        after is not None
        and after.start == each.end
        and after.permissions == _NO_PERMISSIONS
        and not after.path
        and border < each.end
        and border >= each.start
        and after.end >= border + ARENA_BYTES
        and after.end % ARENA_BYTES == 0
    ):
        return each.end - border
    full = each.end == border and each.end - each.start == ARENA_BYTES
    return ARENA_BYTES if full else 0


def _class_of_path(each: _Mapping, programs: set[int]) -> str:
    path = each.path
    for start, name in _CLASS_OF_START:
        if path.startswith(start):
            return name
    if each.inode in programs:
        return "libraries"
    if path.endswith(DELETED):
        return "deleted"
    return "libraries" if b".so" in path.rpartition(b"/")[2] else "files"

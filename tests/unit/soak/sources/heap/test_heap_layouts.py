"""Every layout of glibc's books, laid out in the memory of a process that never was."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from soak.sources.heap import HeapGap, HeapReader, HeapReading
from soak.sources.heap.layouts import ARENA_LAYOUTS, PARAMETERS_LAYOUTS
from tests.unit.soak.sources.heap.fake_process import (
    HEAP,
    HEAP_BYTES,
    LIBC_DATA,
    LIBC_TEXT,
    MAIN_ARENA,
    TOP,
    FakeProcess,
)

if TYPE_CHECKING:
    from pathlib import Path

    from soak.sources.heap.layouts import ArenaLayout, ParametersLayout

PID = 4711
BINNED, FAST, MAPPED = [1040, 2064, 512], [48, 64], 3 * 2**20
RELEASES = ["2.17", "2.22", "2.23", "2.24", "2.26", "2.27", "2.31", "2.32", "2.34", "2.35", "2.41", "2.43"]


def numbers(version: str) -> tuple[int, int]:
    major, minor = version.split(".")
    return int(major), int(minor)


def layouts(version: str) -> tuple[ArenaLayout, ParametersLayout]:
    arena = next(each for each in ARENA_LAYOUTS if each.since <= numbers(version))
    return arena, next(each for each in PARAMETERS_LAYOUTS if each.since <= numbers(version))


def process(version: str, *, mangled: bool | None = None) -> FakeProcess:
    links = numbers(version) >= (2, 32) if mangled is None else mangled
    return FakeProcess(*layouts(version), version, links)


def read(folder: Path, fake: FakeProcess, **written: str) -> HeapReading | HeapGap:
    place = folder / str(PID)
    place.mkdir(exist_ok=True)
    fake.write(place, **written)
    return HeapReader(PID, folder).read()


@pytest.mark.parametrize("version", RELEASES)
def test_each_release_is_read(tmp_path: Path, version: str) -> None:
    fake = process(version).lay_out(BINNED, FAST, MAPPED)
    reading = read(tmp_path, fake)
    assert isinstance(reading, HeapReading), reading
    fast = sum(FAST) if fake.arena.fastbins is not None else 0
    top = HEAP + HEAP_BYTES - TOP
    assert (reading.binned_bytes, reading.fast_bytes, reading.top_bytes) == (sum(BINNED), fast, top)
    assert reading.system_bytes == HEAP_BYTES
    assert reading.in_use_bytes == HEAP_BYTES - sum(BINNED) - fast - top + MAPPED
    assert (reading.mmapped_blocks, reading.arenas) == (1, 1)


def test_a_layout_that_a_distribution_carried_back_is_tried_too(tmp_path: Path) -> None:
    # Red Hat's 2.17 counts the threads of an arena, as upstream does since 2.23
    fake = FakeProcess(layouts("2.23")[0], layouts("2.17")[1], "2.17", mangled=False)
    reading = read(tmp_path, fake.lay_out(BINNED, FAST, 0))
    assert isinstance(reading, HeapReading)
    assert reading.system_bytes == HEAP_BYTES


def test_both_ways_of_linking_are_tried_where_the_version_is_not_known(tmp_path: Path) -> None:
    for mangled in (True, False):
        fake = process("2.31", mangled=mangled).lay_out([], FAST, 0)
        reading = read(tmp_path, fake, libc="/opt/server/static")
        assert isinstance(reading, HeapReading)
        assert reading.fast_bytes == sum(FAST)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("a link into nowhere", (HEAP + 0x1000, 0, 1040 | 1, MAIN_ARENA, 0x777000)),
        ("a size of nothing", (HEAP + 0x1000, 0, 1, 0, 0)),
    ],
)
def test_torn_lists_are_left_out_with_the_reason(tmp_path: Path, broken: str, words: tuple[int, ...]) -> None:
    fake = process("2.36").lay_out(BINNED, FAST, MAPPED)
    address, *values = words
    fake.put(address, *values)
    gap = read(tmp_path, fake)
    assert isinstance(gap, HeapGap), broken
    assert re.match(r"the heap was changing while it was read: .", gap.reason)
    assert not gap.for_good


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/usr/lib/x86_64-linux-gnu/libjemalloc.so.2", "jemalloc"),
        ("/usr/lib/libmimalloc.so.2.0", "mimalloc"),
        ("/usr/lib/libtcmalloc_minimal.so.4", "tcmalloc"),
        ("/lib/ld-musl-x86_64.so.1", "musl"),
        ("/usr/lib/x86_64-linux-musl/libc.so", "musl"),
    ],
)
def test_other_allocators_are_named_once_and_for_all(tmp_path: Path, path: str, name: str) -> None:
    fake = process("2.36").lay_out([], [], 0)
    gap = read(tmp_path, fake, also=f"300000-301000 r-xp 00000000 08:01 99 {path}")
    assert isinstance(gap, HeapGap)
    assert name in gap.reason
    assert gap.for_good


def test_a_32_bit_program_is_named(tmp_path: Path) -> None:
    fake = process("2.36").lay_out([], [], 0)
    fake.memory[LIBC_TEXT] = b"\x7fELF\x01" + bytes(59)
    gap = read(tmp_path, fake)
    assert isinstance(gap, HeapGap)
    assert "32-bit" in gap.reason


def test_a_go_program_is_named(tmp_path: Path) -> None:
    fake = process("2.36").lay_out([], [], 0)
    fake.memory[LIBC_TEXT + 0x1800] = b"\xff Go buildinf:"
    gap = read(tmp_path, fake, libc="/usr/bin/server")
    assert isinstance(gap, HeapGap)
    assert "Go" in gap.reason


def test_a_glibc_older_than_all_is_refused_in_one_line(tmp_path: Path) -> None:
    gap = read(tmp_path, process("2.17").lay_out([], [], 0), libc="/lib64/libc-2.12.so")
    assert isinstance(gap, HeapReading)  # its banner says 2.17: the banner counts, not the name
    old = process("2.17")
    old.version = "2.12"
    gap = read(tmp_path, old.lay_out([], [], 0))
    assert isinstance(gap, HeapGap)
    assert gap.reason == "its glibc is 2.12; 2.17 and newer are read"


def test_unknown_books_are_said_to_be_so(tmp_path: Path) -> None:
    fake = process("2.36").lay_out([], [], 0)
    fake.put(LIBC_DATA + 0x80 + 24, 0)  # no number of arenas to test for: not glibc's settings
    gap = read(tmp_path, fake)
    assert isinstance(gap, HeapGap)
    assert "count of mapped blocks was not recognised" in gap.reason

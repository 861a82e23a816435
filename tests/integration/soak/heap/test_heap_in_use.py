"""The heap read from outside against what the process itself is told by mallinfo2."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from soak.sources.heap import HeapGap, HeapReader, HeapReading
from tests.integration.soak.heap.conftest import SOURCE, Shaper, Truth

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STEPS = ("fragment 5000", "fast 2000", "keep 500000", "map 3000000", "churn 20", "trim", "fast 3000")


def as_truth(reading: HeapReading | HeapGap) -> Truth:
    """Return a reading as mallinfo2 tells it: to it what a thread has cached is in use."""
    assert isinstance(reading, HeapReading), reading
    return Truth(
        reading.system_bytes,
        reading.in_use_bytes + reading.cached_bytes,
        reading.free_bytes - reading.cached_bytes,
        reading.mmapped_blocks,
        reading.mmapped_bytes,
        reading.fast_bytes,
    )


@pytest.mark.parametrize(("arenas", "threads"), [(1, 4), (8, 16), (64, 64)])
def test_every_figure_is_that_of_the_process_itself(heap_shapes: Path, arenas: int, threads: int) -> None:
    with Shaper(heap_shapes, MALLOC_ARENA_MAX=str(arenas)) as shaper:
        reader = HeapReader(shaper.pid)
        for step in ("say", f"threads {threads}", *STEPS):
            truth = shaper.tell(step)
            reading = reader.read()
            assert as_truth(reading) == truth, step
        assert isinstance(reading, HeapReading)
        assert reading.arenas == arenas
        assert truth.fast_bytes > 0
        assert truth.free_bytes > 0


def test_without_a_tcache_it_is_exact_too(heap_shapes: Path) -> None:
    with Shaper(heap_shapes, GLIBC_TUNABLES="glibc.malloc.tcache_count=0") as shaper:
        truth = shaper.tell("fragment 5000")
        assert as_truth(HeapReader(shaper.pid).read()) == truth


def test_what_threads_have_cached_is_free(heap_shapes: Path) -> None:
    with Shaper(heap_shapes, GLIBC_TUNABLES="glibc.malloc.tcache_count=7") as shaper:
        shaper.tell("cache 0")
        reader = HeapReader(shaper.pid)
        before = reader.read()
        shaper.tell("cache 7")
        after = reader.read()
    assert isinstance(before, HeapReading)
    assert isinstance(after, HeapReading)
    # seven chunks of each of the sizes 32, 48 … 1040, less the few that were cached before
    filled = 7 * sum(range(32, 1041, 16))
    assert after.cached_bytes == pytest.approx(filled, rel=0.02)
    assert after.in_use_bytes == pytest.approx(before.in_use_bytes, abs=2_000)


def test_the_caches_of_all_threads_are_found(heap_shapes: Path) -> None:
    without = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
    with Shaper(heap_shapes) as shaper, Shaper(heap_shapes, **without) as bare:
        cached, uncached = (as_reading(each, "threads 32") for each in (shaper, bare))
    assert uncached.cached_bytes == 0
    assert cached.cached_bytes > 32 * 10_000
    assert cached.in_use_bytes == pytest.approx(uncached.in_use_bytes, abs=5_000)


def as_reading(shaper: Shaper, command: str) -> HeapReading:
    shaper.tell(command)
    shaper.wait_until_asleep()
    reading = HeapReader(shaper.pid).read()
    assert isinstance(reading, HeapReading)
    return reading


def test_tuned_thresholds_hide_nothing(heap_shapes: Path) -> None:
    with Shaper(heap_shapes, MALLOC_TOP_PAD_="65536", MALLOC_MMAP_THRESHOLD_="70000") as shaper:
        truth = shaper.tell("map 100000")
        assert truth.mmapped_blocks == 1
        assert as_truth(HeapReader(shaper.pid).read()) == truth


def test_what_is_kept_is_told_from_what_the_allocator_keeps(shaper: Shaper) -> None:
    shaper.tell("say")
    reader = HeapReader(shaper.pid)
    start = as_truth(reader.read())
    shaper.tell("fast 60000")
    kept_for_reuse = as_truth(reader.read())
    shaper.tell("keep 5000000")
    kept = as_truth(reader.read())
    assert kept_for_reuse.free_bytes - start.free_bytes > 3_000_000
    assert kept_for_reuse.in_use_bytes - start.in_use_bytes < 20_000
    assert kept.in_use_bytes - kept_for_reuse.in_use_bytes == pytest.approx(5_000_000, rel=0.02)


def test_a_heap_that_changes_all_the_time_is_read_right_or_left_out(shaper: Shaper) -> None:
    quiet = shaper.tell("fragment 2000")
    shaper.tell("stir")
    reader = HeapReader(shaper.pid)
    for _ in range(20):
        reading = reader.read()
        if isinstance(reading, HeapGap):
            assert "changing" in reading.reason
            assert not reading.for_good
        else:
            assert abs(reading.in_use_bytes - quiet.in_use_bytes) < 2_000_000


def test_a_process_that_has_ended_is_a_gap_in_plain_words(shaper: Shaper) -> None:
    shaper.tell("say")
    reader = HeapReader(shaper.pid)
    assert isinstance(reader.read(), HeapReading)
    shaper.end()
    gap = reader.read()
    assert isinstance(gap, HeapGap)
    assert gap.reason == "the process is gone"


def test_a_process_that_ends_in_the_middle_of_a_walk_is_a_gap(shaper: Shaper) -> None:
    shaper.tell("fragment 300000")  # a walk of tenths of a second
    reader = HeapReader(shaper.pid)
    assert isinstance(reader.read(), HeapReading)
    with ThreadPoolExecutor(1) as beside:
        walk = beside.submit(reader.read)
        while not walk.running():
            pass
        shaper.process.kill()
        outcome = walk.result(timeout=30)
    if isinstance(outcome, HeapGap):  # else the walk was over before the kill
        assert "\n" not in outcome.reason
    assert reader.read() == HeapGap("the process is gone", for_good=False)


def test_a_static_program_is_read_or_named(compiled: Callable[..., Path]) -> None:
    with Shaper(compiled(SOURCE, "-static")) as shaper:
        truth = shaper.tell("fragment 3000")
        assert as_truth(HeapReader(shaper.pid).read()) == truth


def test_a_stripped_program_is_read_all_the_same(compiled: Callable[..., Path]) -> None:
    with Shaper(compiled(SOURCE, "-s")) as shaper:
        truth = shaper.tell("fragment 3000")
        assert as_truth(HeapReader(shaper.pid).read()) == truth


@pytest.mark.skipif(os.getuid() != 0, reason="only root can ask as somebody else")
def test_somebody_elses_process_is_refused_with_the_remedy(shaper: Shaper) -> None:
    shaper.tell("say")
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        gap = HeapReader(shaper.pid).read()
        os.write(write_end, (gap.reason if isinstance(gap, HeapGap) else "read").encode())
        os._exit(0)
    os.close(write_end)
    os.waitpid(child, 0)
    with os.fdopen(read_end) as said:
        reason = said.read()
    assert "--cap-add SYS_PTRACE" in reason
    assert "\n" not in reason

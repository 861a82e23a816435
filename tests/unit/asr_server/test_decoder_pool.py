import functools
import gc
import logging
import threading
import weakref
from collections.abc import Iterator

import pytest

from asr_server.decoder_pool import DecoderPool

WAIT_S = 30.0


@pytest.fixture
def pool() -> Iterator[DecoderPool]:
    pool = DecoderPool(4)
    yield pool
    pool.close()


@pytest.fixture
def single() -> Iterator[DecoderPool]:
    pool = DecoderPool(1)
    yield pool
    pool.close()


def test_the_tasks_of_a_strand_run_in_order_and_never_together(pool: DecoderPool) -> None:
    order: dict[int, list[int]] = {number: [] for number in range(8)}
    running: set[int] = set()
    overlaps: list[int] = []
    done = threading.Semaphore(0)

    def task(strand_number: int, task_number: int) -> None:
        if strand_number in running:
            overlaps.append(strand_number)
        running.add(strand_number)
        order[strand_number].append(task_number)
        running.discard(strand_number)
        done.release()

    strands = [pool.strand() for _ in order]
    for task_number in range(200):
        for strand_number, strand in enumerate(strands):
            strand.post(functools.partial(task, strand_number, task_number))
    for _ in range(200 * len(strands)):
        assert done.acquire(timeout=WAIT_S)
    assert not overlaps
    assert all(numbers == list(range(200)) for numbers in order.values())
    assert pool.queued_tasks == 0


def test_strands_run_at_the_same_time(pool: DecoderPool) -> None:
    meeting = threading.Barrier(4, timeout=WAIT_S)
    done = threading.Semaphore(0)

    def meet() -> None:
        meeting.wait()
        done.release()

    for _ in range(4):
        pool.strand().post(meet)
    for _ in range(4):
        assert done.acquire(timeout=WAIT_S)


def test_a_busy_strand_does_not_hold_back_the_others(single: DecoderPool) -> None:
    gate, done, ran = threading.Event(), threading.Event(), list[str]()
    busy, other = single.strand(), single.strand()
    busy.post(lambda: gate.wait(WAIT_S))
    for _ in range(5):
        busy.post(lambda: ran.append("busy"))
    busy.post(done.set)
    other.post(lambda: ran.append("other"))
    gate.set()
    assert done.wait(WAIT_S)
    assert ran.index("other") <= 1


def test_a_light_load_reaches_every_thread(pool: DecoderPool) -> None:
    strand, names = pool.strand(), set[str]()
    for _ in range(40):  # one task at a time: the other threads are idle
        done = threading.Event()
        strand.post(lambda: names.add(threading.current_thread().name))
        strand.post(done.set)
        assert done.wait(WAIT_S)
    assert len(names) == 4


def test_a_task_that_fails_is_logged_and_the_thread_goes_on(
    single: DecoderPool, caplog: pytest.LogCaptureFixture
) -> None:
    strand, done = single.strand(), threading.Event()

    def fail() -> None:
        raise OSError("no such weights")

    with caplog.at_level(logging.ERROR):
        strand.post(fail)
        strand.post(done.set)
        assert done.wait(WAIT_S)
    assert "no such weights" in caplog.text


def test_what_a_task_held_is_freed_without_the_cycle_collector(pool: DecoderPool) -> None:
    class State:
        def __init__(self) -> None:
            self.strand = pool.strand()

        def work(self) -> None:
            pass

    gc.disable()
    try:
        freed = threading.Event()
        state = State()
        alive = weakref.ref(state, lambda _: freed.set())
        state.strand.post(state.work)
        del state
        assert freed.wait(WAIT_S)
        assert alive() is None
    finally:
        gc.enable()


def test_closing_drops_what_waits_and_ends_the_threads() -> None:
    pool = DecoderPool(2)
    strand, started, gate, ran = pool.strand(), threading.Event(), threading.Event(), list[int]()
    strand.post(started.set)
    strand.post(lambda: gate.wait(WAIT_S))
    strand.post(lambda: ran.append(1))
    assert started.wait(WAIT_S)
    assert not strand.idle
    before = threading.active_count()
    threading.Timer(0.01, gate.set).start()
    pool.close(WAIT_S)
    strand.post(lambda: ran.append(2))
    assert threading.active_count() <= before - 2 + 1  # the timer's thread may still end
    assert not ran

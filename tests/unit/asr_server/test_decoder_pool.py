import functools
import gc
import logging
import threading
import time
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


def test_who_has_used_little_is_served_before_many_who_use_much(single: DecoderPool) -> None:
    """However many strands always have something to do, one that seldom has waits for one task only."""
    busy, order, gate = [single.strand() for _ in range(20)], list[str](), threading.Event()
    light, done, served = single.strand(), threading.Event(), list[int]()

    def work(name: str) -> None:
        order.append(name)
        time.sleep(0.002)

    def finish() -> None:
        served.append(len(order))  # here: the pool goes on while whoever waits for it wakes
        done.set()

    for strand in busy:
        for _ in range(3):
            strand.post(functools.partial(work, "busy"))

    def join_in() -> None:
        light.post(lambda: order.append("light"))
        light.post(finish)
        gate.wait(WAIT_S)

    busy[0].post(join_in)
    gate.set()
    assert done.wait(WAIT_S)
    assert served[0] - order.index("light") <= 2


def test_equal_strands_share_the_time_equally(single: DecoderPool) -> None:
    """By what their tasks take, not by how many they are."""
    gate, taken_s = threading.Event(), {"short": 0.0, "long": 0.0}
    strands = {name: single.strand() for name in taken_s}
    done = threading.Event()

    def work(name: str, duration_s: float) -> None:
        if not done.is_set():
            started_s = time.perf_counter()
            time.sleep(duration_s)
            taken_s[name] += time.perf_counter() - started_s
        if sum(taken_s.values()) > 1.0:
            done.set()

    blocked = single.strand()
    blocked.post(lambda: gate.wait(WAIT_S))
    for _ in range(600):
        strands["short"].post(functools.partial(work, "short", 0.002))
        strands["long"].post(functools.partial(work, "long", 0.02))
    gate.set()
    assert done.wait(WAIT_S)
    assert taken_s["short"] == pytest.approx(taken_s["long"], rel=0.2)


def test_what_is_queued_can_be_dropped(single: DecoderPool) -> None:
    gate, done, ran = threading.Event(), threading.Event(), list[str]()
    strand, other = single.strand(), single.strand()
    strand.post(lambda: gate.wait(WAIT_S))
    strand.post(lambda: ran.append("dropped"))
    other.post(lambda: ran.append("other"))
    strand.clear()
    assert single.queued_tasks <= 2
    strand.post(done.set)
    gate.set()
    assert done.wait(WAIT_S)
    assert ran == ["other"]
    assert single.queued_tasks == 0


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

import gc
import threading
from collections.abc import Iterator

import pytest

from asr_server.decoder_pool import DecoderPool
from asr_server.session import SessionRegistry, sessions_alive

WAIT_S = 30.0


@pytest.fixture
def pool() -> Iterator[DecoderPool]:
    pool = DecoderPool(1)
    yield pool
    pool.close()


@pytest.fixture(autouse=True)
def no_cycle_collector() -> Iterator[None]:
    """What is freed here is freed by reference counting."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def registry(pool: DecoderPool, *, free_at_close: bool = False) -> SessionRegistry:
    return SessionRegistry(pool, free_at_close=free_at_close)


def test_a_closed_session_lives_until_the_sweep(pool: DecoderPool) -> None:
    before, sessions = sessions_alive(), registry(pool)
    still_open = sessions.open()
    session = sessions.open()
    sessions.close(session)
    del session
    assert sessions_alive() == before + 2
    assert sessions.sweep() == 1
    assert sessions_alive() == before + 1
    assert not still_open.closed
    assert sessions.sweep() == 0


def test_a_session_with_work_queued_outlives_the_sweep(pool: DecoderPool) -> None:
    sessions, started, gate, done = registry(pool), threading.Event(), threading.Event(), threading.Event()
    session = sessions.open()
    session.strand.post(started.set)
    session.strand.post(lambda: gate.wait(WAIT_S))
    assert started.wait(WAIT_S)
    sessions.close(session)
    assert sessions.sweep() == 0
    gate.set()
    pool.strand().post(
        done.set
    )  # the single thread comes to this only after it has put the other strand away
    assert done.wait(WAIT_S)
    assert sessions.sweep() == 1


def test_without_a_sweep_the_last_task_frees(pool: DecoderPool) -> None:
    before, sessions, done = sessions_alive(), registry(pool, free_at_close=True), threading.Event()
    session = sessions.open()
    sessions.close(session)
    del session
    pool.strand().post(done.set)
    assert done.wait(WAIT_S)
    assert sessions_alive() == before

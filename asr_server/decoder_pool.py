"""The decoder threads: all inference runs here, one task at a time per connection and in order."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

CREDIT_S: Final = 0.5
"""What a strand that has used less than others may catch up at most, in seconds of a thread's time."""


class Strand:
    """A queue of tasks of which at most one runs at a time, in the order they were posted.

    asio's strand, of which the original gives one to each connection. A strand refers to its pool and to the
    tasks that wait in it, nothing else, so that dropping it never waits for the cycle collector.
    """

    __slots__ = ("_pool", "_scheduled", "_tasks", "_turn_s")

    def __init__(self, pool: DecoderPool, turn_s: float) -> None:
        """Belong to `pool`; see `DecoderPool.strand`."""
        self._pool = pool
        self._tasks: deque[Callable[[], object]] = deque()
        self._scheduled = False
        self._turn_s = turn_s

    @property
    def idle(self) -> bool:
        """Whether nothing is queued and nothing runs."""
        return not self._scheduled

    def post(self, task: Callable[[], object]) -> None:
        """Queue `task`; callable from any thread. Dropped once the pool is closed."""
        self._pool._post(self, task)

    def clear(self) -> None:
        """Drop what is queued; callable from any thread."""
        self._pool._clear(self)


class _Worker:
    """One thread's parking place: `wake` is released once after `strand` was put in."""

    __slots__ = ("strand", "wake")

    def __init__(self) -> None:
        self.strand: Strand | None = None
        self.wake = threading.Lock()
        self.wake.acquire()


class DecoderPool:
    """`thread_num` threads over the strands that are ready, fair between strands by the time they take.

    A thread takes one task from the strand whose turn is first. Its next turn is later by the time that the
    task took (start-time fair queueing, Goyal, Vin and Cheng 1996), so a client that sends at the pace of
    speech is served before those that send as much as they can, however many these are. Idle threads are
    woken in the order in which they became idle, so that a light load reaches every thread in turn, as in
    the original; with it every thread's malloc arena warms up.
    """

    def __init__(self, thread_num: int) -> None:
        """Start the threads."""
        self._lock = threading.Lock()
        self._ready: list[tuple[float, int, Strand]] = []
        """A heap: when each strand's turn is, the number of its coming, the strand."""
        self._numbers = itertools.count()
        self._now_s = 0.0
        """The turn of whoever was served last, in seconds of a thread's time."""
        self._idle: deque[_Worker] = deque()
        self._queued = 0
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"decoder-{number}", daemon=True)
            for number in range(thread_num)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def queued_tasks(self) -> int:
        """How many tasks wait for a thread."""
        return self._queued

    def strand(self) -> Strand:
        """Make a queue for one connection."""
        return Strand(self, self._now_s)

    def close(self, timeout_s: float = 5.0) -> None:
        """Drop what is queued; end each thread after its present task, waiting `timeout_s` for it."""
        with self._lock:
            self._closed = True
            self._ready.clear()
            idle, self._idle = self._idle, deque()
        for worker in idle:
            worker.wake.release()
        for thread in self._threads:
            thread.join(timeout_s)

    def _post(self, strand: Strand, task: Callable[[], object]) -> None:
        with self._lock:
            if self._closed:
                return
            strand._tasks.append(task)
            self._queued += 1
            if strand._scheduled:
                return
            strand._scheduled = True
            strand._turn_s = max(strand._turn_s, self._now_s - CREDIT_S)
            worker = self._idle.popleft() if self._idle else None
            if worker is None:
                self._line_up(strand)
        if worker is not None:
            worker.strand = strand
            worker.wake.release()

    def _clear(self, strand: Strand) -> None:
        with self._lock:
            dropped, strand._tasks = strand._tasks, deque()
            self._queued -= len(dropped)
        dropped.clear()  # outside the lock: what the tasks hold is freed here

    def _line_up(self, strand: Strand) -> None:
        heapq.heappush(self._ready, (strand._turn_s, next(self._numbers), strand))

    def _run(self) -> None:
        worker = _Worker()
        while (strand := self._next_strand(worker)) is not None:
            with self._lock:
                self._now_s = max(self._now_s, strand._turn_s)
                task = strand._tasks.popleft() if strand._tasks else None
                self._queued -= task is not None
            started_s = time.perf_counter()
            try:
                if task is not None:
                    task()
            except Exception:
                logger.exception("a decoding task failed")
            del task  # before anything else: it may hold the last reference to a connection's state
            with self._lock:
                strand._turn_s += time.perf_counter() - started_s
                if strand._tasks and not self._closed:
                    self._line_up(strand)
                else:
                    strand._scheduled = False
            del strand

    def _next_strand(self, worker: _Worker) -> Strand | None:
        """Wait for a strand with something to do; None when the pool is closed."""
        with self._lock:
            if self._closed:
                return None
            if self._ready:
                return heapq.heappop(self._ready)[2]
            self._idle.append(worker)
        worker.wake.acquire()
        strand, worker.strand = worker.strand, None
        return strand

"""Batch loops of Python and SQLite, each either as one would write it or with a fault that keeps memory."""

from __future__ import annotations

import argparse
import functools
import gc
import random
import sqlite3
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

source = random.Random(7)  # noqa: S311 - content, not secrets


class Node:
    """One half of a cycle, with something heavy."""

    def __init__(self, size: int) -> None:
        """Hold `size` bytes."""
        self.load = bytearray(b"\xa5") * size
        self.other: Node | None = None


def make_cycle(size: int) -> None:
    """Make two objects that only the cycle collector can free."""
    first, second = Node(size), Node(size)
    first.other, second.other = second, first


def cycles(*, faulty: bool) -> Callable[[], object]:
    """Cycles of 2 x 3000 bytes; the fault is a collector that is switched off."""
    if faulty:
        gc.disable()
    return lambda: make_cycle(3000)


def memo(*, faulty: bool) -> Callable[[], object]:
    """A cache of results of 2 kB; the fault is that it has no bound (otherwise 12,000 results)."""

    @functools.lru_cache(maxsize=None if faulty else 12_000)
    def result(number: int) -> str:
        return f"{number:2000d}"

    return lambda: result(source.randrange(10**9))


def sqlite(*, faulty: bool) -> Callable[[], object]:
    """A database in memory that takes rows; the fault is that old rows are not deleted."""
    database = sqlite3.connect(":memory:")
    database.execute("create table log (at integer primary key, line blob)")

    def insert() -> None:
        database.execute("insert into log (line) values (?)", (source.randbytes(source.randrange(50, 1500)),))
        if not faulty:
            database.execute("delete from log where at < (select max(at) from log) - 20000")
        database.commit()

    return insert


def queue(*, faulty: bool) -> Callable[[], object]:
    """A window of the newest 2000 buffers of 1 to 60 kB; the fault is that one in 40 is kept as well."""
    window: deque[bytes] = deque(maxlen=2000)
    kept: list[bytes] = []

    def push() -> None:
        window.append(source.randbytes(source.randrange(1000, 60_000)))
        if faulty and source.randrange(40) == 0:
            kept.append(window[-1])

    return push


def threads(*, faulty: bool) -> Callable[[], object]:
    """A thread for every job; the fault is that one in ten waits for ever."""
    never = threading.Event()

    def job() -> None:
        bytearray(b"\xa5") * 20_000
        if faulty and source.randrange(10) == 0:
            never.wait()

    return lambda: threading.Thread(target=job, daemon=True).start()


def sessions(*, faulty: bool) -> Callable[[], object]:
    """A burst of 200 sessions of 20 kB now and then; the fault is that five of each burst stay."""
    kept: list[bytes] = []

    def burst() -> None:
        if source.randrange(250) == 0:
            alive = [source.randbytes(20_000) for _ in range(200)]
            time.sleep(0.5)
            if faulty:
                kept.extend(alive[:5])

    return burst


LOOPS: dict[str, Callable[..., Callable[[], object]]] = {
    "cycles": cycles,
    "memo": memo,
    "sqlite": sqlite,
    "queue": queue,
    "threads": threads,
    "sessions": sessions,
}


def main() -> None:
    """Run one loop at a fixed rate until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("loop", choices=LOOPS)
    parser.add_argument("--faulty", action="store_true")
    parser.add_argument("--rate", type=float, default=50.0, help="rounds per second")
    options = parser.parse_args()
    step = LOOPS[options.loop](faulty=options.faulty)
    due_s = time.monotonic()
    while True:
        step()
        due_s = max(due_s + 1 / options.rate, time.monotonic() - 1)
        time.sleep(max(0.0, due_s - time.monotonic()))


if __name__ == "__main__":
    main()

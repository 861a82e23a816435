"""A C++ program with many threads: RSS climbs while it warms up, and heap in use tells whether it leaks."""

from __future__ import annotations

import csv
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from soak.judging import judge_run
from soak.record import read_run
from soak.sources import Reading, Watched
from soak.sources.from_heap import HeapSource
from soak.sources.from_process import ProcessDetailsSource, ProcessSource
from soak.verdict.verdict import Label
from soak.words import sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from soak.judging import Judgement

THREADS, WINDOWS, REQUESTS = 32, 24, 24
KEPT_BYTES = 51_200
KEPT_EACH_BYTES = KEPT_BYTES + 16 + 32
"""With the header of the chunk, and the session object that holds it."""
WINDOW_S = 10.0
"""What passes between two windows on the recording's clock: the program has no need of it."""


@pytest.fixture(scope="module")
def record(compiled: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Return a function that records the program while it keeps so many bytes of each request."""
    source = Path(__file__).with_name("worker_pool.cc")
    program = compiled(source, "-O2")
    folder = tmp_path_factory.mktemp("recordings")

    def made(kept_bytes: int) -> Path:
        path = folder / f"{kept_bytes}.csv"
        rows = list(_rows(program, kept_bytes))
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, sorted({name for row in rows for name in row}))
            writer.writeheader()
            writer.writerows(rows)
        return path

    return made


def _rows(program: Path, kept_bytes: int) -> Iterator[dict[str, Any]]:
    with subprocess.Popen(
        [program, str(THREADS), str(kept_bytes)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        target = Watched("ws://127.0.0.1:0", process.pid)
        readers = [each.open(target) for each in (ProcessSource(), ProcessDetailsSource(), HeapSource())]
        for window in range(WINDOWS):
            process.stdin.write(f"serve {REQUESTS}\n")
            process.stdin.flush()
            assert process.stdout.readline() == "done\n"
            row: dict[str, Any] = {
                "t_s": WINDOW_S * (window + 1),
                "connections_completed": REQUESTS * (window + 1),
                "open_connections": 0,
                "phase": "rest",
            }
            for reader in readers:
                row |= _values(reader.read)
            yield row
        process.kill()


def _values(read: Callable[[], object]) -> dict[str, float]:
    """Read until the threads have gone to sleep: the last of them may still be on its way there."""
    ends_s = time.monotonic() + 10
    while not isinstance(reading := read(), Reading):
        assert time.monotonic() < ends_s, reading
    return dict(reading.values)


def _judged(path: Path) -> Judgement:
    return judge_run(read_run(path))


def test_a_program_that_keeps_nothing_is_a_plateau_while_rss_climbs(record: Callable[[int], Path]) -> None:
    path = record(0)
    rss = read_run(path).samples["rss_bytes"]
    assert rss.iloc[-1] > 1.05 * rss.iloc[WINDOWS // 6]  # it is still warming up
    verdict = _judged(path).verdict
    assert verdict.heap is not None
    assert verdict.heap.label is Label.PLATEAU
    assert verdict.label is Label.PLATEAU
    assert any("Heap in use is flat" in said for said in sentences(verdict.reasons)[:2])


def test_what_is_kept_of_each_request_is_a_climb_with_the_true_slope(record: Callable[[int], Path]) -> None:
    verdict = _judged(record(KEPT_BYTES)).verdict
    assert verdict.label is Label.CLIMBING
    assert sentences(verdict.reasons)[0].startswith("Heap in use grows by ")
    assert verdict.heap is not None
    assert verdict.heap.growth_per_connection is not None
    assert verdict.heap.growth_per_connection.estimate == pytest.approx(KEPT_EACH_BYTES, rel=0.02)

"""What does a verdict cost, and how fast is a fleet judged?

Judges an hour and a week of samples at 1 Hz, of every shape and with what may be recorded beside memory, each
in a process of its own: CPU milliseconds beside the goal, memory beyond the series itself, and the ratio to
Mann-Kendall, the common test for a trend, over the same samples in the same process. Then `soak analyze` over
1,000 recordings of an hour with one process and with one per core.
"""

from __future__ import annotations

import itertools
import multiprocessing
import statistics
import tempfile
import time
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.verdict.peers import mann_kendall
from soak.analyse import Series, judge_series
from soak.studies.fleet import judge_fleet, usable_cores

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

HOUR, DAY, WEEK = 3600, 86_400, 7 * 86_400
GOAL_CPU_S = {HOUR: 0.015, WEEK: 0.5}
"""By the number of samples: a usual judgement, and a week of samples at 1 Hz."""
REPEATS = 3
"""The least of so many is told: what disturbs a machine only ever adds."""
FLEET, FLEET_SAMPLES = 1000, 3600
MIB = 2.0**20
PAGE_BYTES = 4096
BLOCK_S, REST_S = 1200, 60
HOURS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "flat": np.zeros_like,
    "warm-up": lambda hours: 200e6 * (1 - np.exp(-hours / 2)),
    "leak": lambda hours: 5e6 * hours,
    "saw-tooth": lambda hours: 60e6 * (hours % 0.5),
}
"""Bytes over hours, above a level of 1 GB."""
BESIDE = ("memory alone", "load", "load and rests")


@dataclass(frozen=True)
class Cost:
    """What judging one series took."""

    verdict: str
    cpu_s: float
    peer_cpu_s: float
    extra_bytes: int
    """Most memory allocated at one time while judging, beyond the series."""


def make(shape: str, beside: str, samples: int) -> Series:
    """Make a series at 1 Hz with autocorrelated noise, in whole pages."""
    random = np.random.default_rng(samples)
    t_s = np.arange(samples, dtype=np.float64)
    noise = np.convolve(random.normal(0, 0.2e6, samples + 9), np.ones(10), mode="valid")
    memory = 1e9 + HOURS[shape](t_s / 3600) + noise
    if beside == "memory alone":
        return Series(t_s, _pages(memory))
    resting = (t_s % BLOCK_S > BLOCK_S - REST_S) if beside == "load and rests" else np.zeros(samples, bool)
    wanted = 8 + 4 * np.sin(t_s * 2 * np.pi / DAY)
    open_connections = np.where(resting, 0, random.poisson(wanted)).astype(np.float64)
    completed = np.cumsum(open_connections) // 5
    return Series(
        t_s,
        _pages(memory + 1e6 * open_connections),
        connections_completed=completed,
        open_connections=open_connections,
        phase=np.where(resting, "rest", "load") if resting.any() else None,
        audio_s=completed * 5,
    )


def _pages(memory: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.round(memory / PAGE_BYTES) * PAGE_BYTES, dtype=np.float64)


def measure(shape: str, beside: str, samples: int) -> Cost:
    """Judge one series `REPEATS` times, alternating with the peer."""
    judge_series(make(shape, beside, 1000))  # what is loaded or computed once
    series = make(shape, beside, samples)
    tracemalloc.start()
    verdict = judge_series(series)
    _, extra = tracemalloc.get_traced_memory()
    tracemalloc.stop()  # it takes time, too
    own, peer = [], []
    for _ in range(REPEATS):
        own.append(_cpu_s(judge_series, series))
        peer.append(_cpu_s(mann_kendall, series))
    return Cost(str(verdict.label), min(own), min(peer), extra)


def _cpu_s(rule: Callable[[Series], object], series: Series) -> float:
    began_s = time.process_time()
    rule(series)
    return time.process_time() - began_s


def judge_long_series() -> None:
    """Print a line for each length, shape and kind of load."""
    print(f"{'samples':>8}  {'shape':<10} {'recorded':<15} {'CPU ms':>7} {'goal':>5} {'met':<4}"
          f"{'x M-K':>6} {'MiB':>5}  verdict")  # fmt: skip
    spawn = multiprocessing.get_context("spawn")
    for samples, shape, beside in itertools.product(GOAL_CPU_S, HOURS, BESIDE):
        with ProcessPoolExecutor(1, mp_context=spawn) as process:
            cost = process.submit(measure, shape, beside, samples).result()
        goal_s = GOAL_CPU_S[samples]
        print(f"{samples:>8}  {shape:<10} {beside:<15} {1e3 * cost.cpu_s:>7.1f} {1e3 * goal_s:>5.0f} "
              f"{'yes' if cost.cpu_s <= goal_s else 'no':<4}"
              f"{cost.cpu_s / cost.peer_cpu_s:>6.2f} {cost.extra_bytes / MIB:>5.0f}  {cost.verdict}",
              flush=True)  # fmt: skip


def judge_a_fleet(folder: Path) -> None:
    """Print the recordings per second with one process and with one per core, which take turns."""
    shapes = itertools.cycle(HOURS)
    paths = [folder / f"{number:04}.csv" for number in range(FLEET)]
    for path, shape in zip(paths, shapes, strict=False):
        series = make(shape, "memory alone", FLEET_SAMPLES)
        table = np.column_stack((series.t_s, series.values))
        np.savetxt(path, table, fmt="%.0f", delimiter=",", header="t_s,rss_bytes", comments="")
    rates: dict[int, list[float]] = {1: [], usable_cores(): []}
    for chunk in (paths[: FLEET // 2], paths[FLEET // 2 :]):
        for jobs, seen in rates.items():
            began_s = time.monotonic()
            with closing(judge_fleet(chunk, jobs=jobs)) as outcomes:
                judged = sum(outcome.error is None for outcome in outcomes)
            seen.append(judged / (time.monotonic() - began_s))
    alone = statistics.mean(rates[1])
    for jobs, seen in rates.items():
        rate = statistics.mean(seen)
        print(f"{FLEET} recordings of {FLEET_SAMPLES} samples, {jobs} at once: "
              f"{rate:.1f} a second, {rate / alone:.2f} x")  # fmt: skip


def main() -> None:
    """Print both tables."""
    judge_long_series()
    with tempfile.TemporaryDirectory() as folder:
        judge_a_fleet(Path(folder))


if __name__ == "__main__":
    main()

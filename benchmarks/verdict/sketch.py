"""From a family's sketch, in shares of the level, to readings in bytes with their labels and their flaws."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.verdict import shapes
from benchmarks.verdict.draw import DAY_S, HOUR_S
from benchmarks.verdict.noise import bursts, spikes, standardised
from soak.analyse import Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.verdict.draw import Clock, Draw
    from benchmarks.verdict.load import Load

PAGE_BYTES = 4096.0
MEBIBYTE = 2.0**20
SMALLEST_LEVEL_BYTES, LARGEST_LEVEL_BYTES = 180e6, 8e9
SMALLEST_LEAK, LARGEST_LEAK = 0.01, 2.0
"""A leak adds at least 1 % of the level, four times the default budget (below that it is none)."""
SMALLEST_SIGNAL_TO_NOISE, LARGEST_SIGNAL_TO_NOISE = 2.5, 60.0
LARGEST_SPREAD = 0.06
"""The standard deviation, as a share of the level, above which a disturbance is no longer believable."""


@dataclass(frozen=True, eq=False)
class Leak:
    """Memory that is kept for good."""

    course: NDArray[np.float64]
    """What is kept at each reading; any unit (it is scaled), and it may fall only where the process died."""
    onset: float = 0.0
    """The share of the trace at which it begins."""
    truth_from: float = 0.0
    """The share of the trace after which the truth (bytes per hour) is taken, where that is later."""
    follows: str = "time"
    """What it grows with: "time", "connections" or "audio"."""
    smallest: float = SMALLEST_LEAK
    """The least it adds over the trace, as a share of the level."""
    largest: float = LARGEST_LEAK
    """The most it adds over the trace, as a share of the level."""

    def risen(self, since: float, share: NDArray[np.float64]) -> float:
        """Add up all rises after a share of the trace, in the unit of `course`."""
        rises = np.maximum(np.diff(self.course), 0.0)
        return float(rises[share[1:] > since].sum())


@dataclass(frozen=True, eq=False)
class Sketch:
    """A trace before it has bytes; every array is a share of the settled level and as long as the clock."""

    clock: Clock
    load: Load
    settled: NDArray[np.float64]
    """The expected course without leak: 0 is the settled level, warm-ups are below it, steps change it."""
    disturbance: NDArray[np.float64]
    """All that is not trend: noise, swings, teeth, spikes, sessions that are open."""
    leak: Leak | None = None
    swapped: NDArray[np.float64] | None = None
    """Pages moved to swap: they leave RSS and appear in the swap column."""
    columns: frozenset[str] = field(default_factory=frozenset)
    """The columns of load that are recorded beside time and RSS."""
    quantum: float | None = None
    """What readings are rounded to, as a share of the level (0: one page); None: drawn."""
    missing: NDArray[np.bool_] | None = None
    """Readings that failed for the family's own reason (a restart)."""
    proportional: bool = False
    """Whether the disturbance grows with the memory itself (multiplicative noise)."""


@dataclass(frozen=True, eq=False)
class Finished:
    """A sketch in bytes, with the truth."""

    series: Series
    level_bytes: float
    growth_bytes_per_hour: float
    growth_bytes_per_connection: float | None
    growth_bytes_per_audio_s: float | None
    signal_to_noise: float | None


def finish(draw: Draw, sketch: Sketch) -> Finished:
    """Combine (in the test part), scale, round, and lose some readings."""
    if draw.is_test and draw.chance(0.4):
        sketch = add_feature(draw, sketch)
    level_bytes = draw.log_between(SMALLEST_LEVEL_BYTES, LARGEST_LEVEL_BYTES)
    disturbance = sketch.disturbance
    if sketch.proportional:
        disturbance = disturbance * np.maximum(0.3, 1.0 + sketch.settled)
    leaked = np.zeros_like(disturbance)
    scale = 0.0
    if sketch.leak is not None:
        total = sketch.leak.risen(-1.0, sketch.clock.share)
        growth, disturbance = weigh(draw, sketch.leak, disturbance)
        scale = growth / total
        leaked = scale * sketch.leak.course
    expected = sketch.settled + leaked
    if sketch.swapped is not None:
        expected = expected - sketch.swapped
    quantum = draw_quantum(draw, sketch, level_bytes, scale and growth)
    exact = level_bytes * (1.0 + expected + disturbance)
    rss = np.maximum(quantum, np.round(np.maximum(exact, 0.1 * level_bytes) / quantum) * quantum)
    off_trend = float(np.std(rss - level_bytes * (1.0 + expected)))
    series = record(draw, sketch, rss, level_bytes)
    if sketch.leak is None:
        return Finished(series, level_bytes, 0.0, None, None, None)
    return Finished(
        series,
        level_bytes,
        *truth(sketch, sketch.leak, scale * level_bytes),
        signal_to_noise=growth * level_bytes / off_trend,
    )


def weigh(draw: Draw, leak: Leak, disturbance: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Give the leak's growth over the trace (share of the level) and the disturbance scaled to its ratio.

    The signal-to-noise ratio is log-uniform; the disturbance keeps its size unless the leak would leave its
    limits. A leak that must be large (one that ends in an OOM kill) is not given noise of the same size.
    """
    ratio = draw.log_between(SMALLEST_SIGNAL_TO_NOISE, LARGEST_SIGNAL_TO_NOISE)
    spread = float(disturbance.std())
    least = draw.log_between(leak.smallest, 3.0 * leak.smallest)
    growth = min(max(ratio * spread, least), leak.largest)
    ratio = min(max(ratio, growth / LARGEST_SPREAD), LARGEST_SIGNAL_TO_NOISE)
    return growth, disturbance * (growth / ratio / spread)


def truth(sketch: Sketch, leak: Leak, bytes_per_unit: float) -> tuple[float, float | None, float | None]:
    """Give the persistent growth in bytes per hour, per connection and per second of audio.

    The last two are None unless the leak follows connections or audio.
    """
    share, load = sketch.clock.share, sketch.load
    since = max(leak.onset, leak.truth_from)
    grown_bytes = bytes_per_unit * leak.risen(since, share)
    per_hour = grown_bytes / (sketch.clock.length_s * (1.0 - since) / HOUR_S)
    first = int(np.searchsorted(share, since))
    if leak.follows == "connections":
        return per_hour, grown_bytes / float(load.completed[-1] - load.completed[first]), None
    if leak.follows == "audio":
        return per_hour, None, grown_bytes / float(load.audio_s[-1] - load.audio_s[first])
    return per_hour, None, None


def draw_quantum(draw: Draw, sketch: Sketch, level_bytes: float, growth: float) -> float:
    """Draw what readings are rounded to: pages mostly; MiB, or 0.1 % or 1 % of a machine's memory.

    Where there is a leak it spans at least four such quanta.
    """
    if sketch.quantum is not None:
        quantum = max(PAGE_BYTES, sketch.quantum * level_bytes)
    else:
        machine_bytes = level_bytes * draw.between(1.1, 4.0)
        kinds = (PAGE_BYTES,) * 6 + (MEBIBYTE, MEBIBYTE, 0.001 * machine_bytes, 0.01 * machine_bytes)
        quantum = draw.one_of(kinds)
    return quantum if growth == 0 or 4 * quantum <= growth * level_bytes else PAGE_BYTES


def record(draw: Draw, sketch: Sketch, rss_bytes: NDArray[np.float64], level_bytes: float) -> Series:
    """Write down the columns that are recorded, with the readings that failed."""
    failed = draw_failures(draw, rss_bytes.size)
    if sketch.missing is not None:
        failed = failed | sketch.missing
    failed[[0, -1]] = False
    load, columns = sketch.load, sketch.columns
    swap = sketch.swapped
    if swap is not None:
        swap = np.round(swap * level_bytes / PAGE_BYTES) * PAGE_BYTES
    return Series(
        t_s=sketch.clock.t_s,
        values=np.where(failed, np.nan, rss_bytes),
        connections_completed=load.completed if "connections_completed" in columns else None,
        open_connections=load.open_connections if "open_connections" in columns else None,
        phase=load.phase if "phase" in columns else None,
        swap_bytes=np.where(failed, np.nan, swap) if swap is not None and "swap_bytes" in columns else None,
        audio_s=load.audio_s if "audio_s" in columns else None,
    )


def draw_failures(draw: Draw, size: int) -> NDArray[np.bool_]:
    """In three traces of ten some readings failed: single ones, or one gap of 1 to 4 % of the trace."""
    failed = np.zeros(size, dtype=np.bool_)
    if draw.chance(0.2):
        failed |= draw.rng.random(size) < draw.log_between(0.001, 0.03, widen=0.2)
    if draw.chance(0.1):
        begin = int(draw.between(0.05, 0.9) * size)
        failed[begin : begin + max(1, round(draw.between(0.01, 0.04) * size))] = True
    return failed


def add_feature(draw: Draw, sketch: Sketch) -> Sketch:
    """Combine the family with one more thing that suits the trace's length (test part only).

    A disturbance; or, under a leak, a step up or down that has nothing to do with it.
    """
    hours = sketch.clock.length_s / HOUR_S
    clock, x = sketch.clock, sketch.clock.share
    size = max(float(sketch.disturbance.std()), 0.001) * draw.log_between(0.5, 3.0)
    if sketch.leak is not None and draw.chance(0.2):
        step = draw.one_of((-1.0, 1.0)) * size * (x > draw.between(0.1, 0.6))
        return replace(sketch, settled=sketch.settled + step)
    courses = [
        lambda: shapes.saw_tooth(draw, x, draw.log_between(12, 80), draw.between(0.05, 0.4)),
        lambda: spikes(draw, clock),
        lambda: bursts(draw, clock),
    ]
    if hours >= 6:
        courses.append(lambda: shapes.hourly(draw, clock.t_s))
    if sketch.clock.length_s >= 3 * DAY_S:
        courses += [lambda: shapes.daily(draw, clock.t_s)] * 3
    added = size * standardised(draw.one_of(courses)())
    return replace(sketch, disturbance=sketch.disturbance + added)

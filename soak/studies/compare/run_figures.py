"""What one run came to, as it is compared with others and kept in a baseline."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from soak.report.model.levels import Levels
from soak.report.model.readings import Readings
from soak.studies.measured import measure
from soak.verdict.verdict import UNKNOWN

if TYPE_CHECKING:
    from soak.record import Run
    from soak.verdict.run_verdict import RunVerdict

WANTED_QUANTILE = 0.99
LATE_PART = 4
"""The last of so many parts tells the level of a recording without quiet windows."""


@dataclass(frozen=True, kw_only=True)
class RunFigures:
    """What one run came to; NaN for what it did not show."""

    run: str
    """The directory's name."""
    verdict: str
    connections: float
    """Completed."""
    start_bytes: float
    level_bytes: float
    """The plateau; for want of one, RSS in the last quiet windows, or late in a file of somebody else's."""
    growth_bytes: float
    """From the start to that level."""
    peak_bytes: float
    bytes_per_connection: float
    """Growth after warm-up; so are its bounds."""
    bytes_per_connection_low: float
    bytes_per_connection_high: float
    cpu_s_per_audio_s: float
    first_partial_p50_ms: float
    final_p50_ms: float
    final_p99_ms: float

    @classmethod
    def of(cls, run: Run, verdict: RunVerdict) -> Self:
        """Read the figures of `run`, judged as `verdict`."""
        measured, levels = measure(run), Levels.of(Readings(run.samples), verdict)
        start, settled = _number(levels.start_bytes), _number(levels.settled_bytes)
        if math.isnan(settled) and not run.manifest.is_recorded:
            settled = _late_level_bytes(run)
        growth = verdict.memory.growth_per_connection or UNKNOWN
        return cls(
            run=run.path.name,
            verdict=str(verdict.label),
            connections=measured.connections_completed,
            start_bytes=start,
            level_bytes=settled,
            growth_bytes=settled - start,
            peak_bytes=_number(levels.peak_bytes),
            bytes_per_connection=growth.estimate,
            bytes_per_connection_low=growth.low,
            bytes_per_connection_high=growth.high,
            cpu_s_per_audio_s=measured.cpu_s_per_audio_s,
            first_partial_p50_ms=measured.first_partial_p50_ms,
            final_p50_ms=measured.final_p50_ms,
            final_p99_ms=_number(final_p99_ms(run)),
        )


def _late_level_bytes(run: Run) -> float:
    """Return the median of the last quarter of the readings."""
    known = run.samples["rss_bytes"].dropna()
    return float(known.tail(max(len(known) // LATE_PART, 1)).median())


def _number(value: float | None) -> float:
    """Return NaN for what is not known."""
    return math.nan if value is None else float(value)


def final_p99_ms(run: Run) -> float | None:
    """Return the 99th percentile of the final latency over the blocks of load, in ms; None if unknown.

    A sample holds the p99 of the k connections that ended in its interval, which for few of them is their
    maximum. The maximum of k values stays below the p99 of all with probability 0.99^k (Gumbel 1958,
    "Statistics of extremes": the distribution of the largest value), so that quantile of the maxima is the
    p99 of all; with many connections an interval its own p99 is one, and the median of those is taken.
    """
    samples = run.samples
    if not {"final_p99_ms", "connections_completed"} <= set(samples):
        return None
    load = samples[samples["block"] >= 1] if "block" in samples else samples
    p99_ms = load["final_p99_ms"].dropna().to_numpy(np.float64)
    if not len(p99_ms):
        return None
    completed = load["connections_completed"]
    each = max(float(completed.max() - completed.min()) / len(p99_ms), 1.0)
    return float(np.quantile(p99_ms, max(WANTED_QUANTILE**each, 0.5)))

"""What one run of an experiment came to, and how a mitigation compares with the baseline."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from soak.analyse import Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from soak.record import Run

LAST_RESTS = 2
"""Quiet windows at the end whose median is the level that was reached."""
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Measured:
    """The figures of one run; NaN for what it did not show."""

    level_bytes: float
    """RSS in the last quiet windows."""
    growth_bytes: float
    """From the first sample to that level."""
    peak_bytes: float
    cpu_s_per_audio_s: float
    """The server's CPU time per second of audio, over the blocks of load."""
    first_partial_p50_ms: float
    """Median over the load of the intervals' medians; so are the following."""
    final_p50_ms: float
    final_p95_ms: float
    connections_per_s: float
    """Completed in the blocks of load, rests left out."""
    connections_failed: float


NAMES = tuple(field.name for field in fields(Measured))


def measure(run: Run) -> Measured:
    """Read the figures from the samples of a run."""
    samples = run.samples
    load = samples[(samples["phase"] == "load") & (samples["block"] >= 1)]
    rss = samples["rss_bytes"]
    level = _level(samples)
    return Measured(
        level_bytes=level,
        growth_bytes=level - float(rss.iloc[0]),
        peak_bytes=float(rss.max()),
        cpu_s_per_audio_s=_rate(samples[samples["block"] >= 1], "cpu_s", "audio_s"),
        first_partial_p50_ms=_median(load, "first_partial_p50_ms"),
        final_p50_ms=_median(load, "final_p50_ms"),
        final_p95_ms=_median(load, "final_p95_ms"),
        connections_per_s=_throughput(load),
        connections_failed=float(samples["connections_failed"].max()),
    )


def _level(samples: pd.DataFrame) -> float:
    resting = samples[(samples["phase"] == "rest") & (samples["block"] >= 1)]
    floors = resting.groupby("block")["rss_bytes"].min()
    return float(floors.tail(LAST_RESTS).median())


def _rate(samples: pd.DataFrame, of: str, per: str) -> float:
    known = samples[[of, per]].dropna()
    if len(known) < 2:
        return math.nan
    first, last = known.iloc[0], known.iloc[-1]
    return float((last[of] - first[of]) / (last[per] - first[per])) if last[per] > first[per] else math.nan


def _median(samples: pd.DataFrame, column: str) -> float:
    return float(samples[column].median()) if samples[column].notna().any() else math.nan


def _throughput(load: pd.DataFrame) -> float:
    done = seconds = 0.0
    for _, block in load.groupby("block"):
        done += float(block["connections_completed"].iloc[-1] - block["connections_completed"].iloc[0])
        seconds += float(block["t_s"].iloc[-1] - block["t_s"].iloc[0])
    return done / seconds if seconds > 0 else math.nan


def mean_with_interval(values: Sequence[float]) -> Estimate:
    """Return the mean with its 95 % interval by Student's t; the interval is NaN for a single value."""
    known = np.array([value for value in values if math.isfinite(value)])
    if not len(known):
        return Estimate(math.nan, math.nan, math.nan)
    mean = float(known.mean())
    if len(known) < 2:
        return Estimate(mean, math.nan, math.nan)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(known) - 1) * stats.sem(known))
    return Estimate(mean, mean - half, mean + half)


def difference(ours: Mapping[int, float], baselines: Mapping[int, float]) -> Estimate:
    """Return how much more it is than the baseline, both by repeat: the mean of the pairs' differences.

    Pairs of one repeat ran within the same stretch of time, so what the machine did meanwhile is in both.
    """
    pairs = sorted(ours.keys() & baselines.keys())
    return mean_with_interval([ours[repeat] - baselines[repeat] for repeat in pairs])


def ratio(ours: Mapping[int, float], baselines: Mapping[int, float]) -> Estimate:
    """Return how many times the baseline it is: the geometric mean of the pairs' ratios, by repeat."""
    pairs = sorted(ours.keys() & baselines.keys())
    logs = [
        math.log(ours[repeat] / baselines[repeat])
        for repeat in pairs
        if ours[repeat] > 0 and baselines[repeat] > 0
    ]
    estimate = mean_with_interval(logs)
    return Estimate(*(math.exp(value) for value in (estimate.estimate, estimate.low, estimate.high)))

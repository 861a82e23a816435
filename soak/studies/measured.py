"""What one run came to: level, growth, processor time, latency, throughput."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from soak.columns import declarations
from soak.report.model.levels import quiet_level_bytes

if TYPE_CHECKING:
    import pandas as pd

    from soak.record import Run

READ = declarations(
    "rss_bytes",
    "phase",
    "block",
    "cpu_s",
    "audio_s",
    "first_partial_p50_ms",
    "final_p50_ms",
    "final_p95_ms",
    "connections_completed",
    "connections_failed",
)
"""Columns that are read; one that was not recorded counts as empty."""


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
    connections_completed: float


NAMES = tuple(field.name for field in fields(Measured))


def measure(run: Run) -> Measured:
    """Read the figures from the samples of a run."""
    absent = [each.name for each in READ if each.name not in run.samples]
    samples = run.samples.reindex(columns=[*run.samples.columns, *absent])
    load = samples[(samples["phase"] == "load") & (samples["block"] >= 1)]
    rss = samples["rss_bytes"]
    level = quiet_level_bytes(samples)
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
        connections_completed=float(samples["connections_completed"].max()),
    )


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

"""Verdicts on what a server holds besides memory: descriptors, threads, sockets, live sessions."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.engine import judge_series
from soak.analyse.floors.points import runs
from soak.analyse.series import LARGEST_READING, Series
from soak.verdict.quantities import JUDGED_COUNTS, Quantity
from soak.verdict.reason import Reason, ReasonKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from soak.analyse.settings import JudgeSettings
    from soak.verdict.verdict import SeriesVerdict

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CountSettings:
    """What growth of a count is accepted.

    Raises ValueError, in one line, for a value outside its range.
    """

    max_more: float = 4.0
    """Counts a resource may gain over the run, at least. A server opens a log, a timer, a DNS socket late,
    one by one; one descriptor kept in 50 connections passes it after 200."""
    max_more_share: float = 0.01
    """The same as a share of the level, where that is more: 1 % of a pool of 1,000 is ten. Memory is held
    to 0.25 %, but counts are whole, and pools of hundreds replace a few members at a time."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not self.max_more > 0:
            raise ValueError(f"max_more must be above 0, not {self.max_more:g}")
        if not 0 <= self.max_more_share < 1:
            raise ValueError(f"max_more_share must be from 0 to below 1, not {self.max_more_share:g}")

    def budget(self, level: float) -> float:
        """Return how many more of a resource at this level are accepted over the run."""
        return max(self.max_more, self.max_more_share * level)


def judge_counts(
    counts: Mapping[str, Floats],
    beside: Series,
    *,
    since_s: float = -math.inf,
    settings: JudgeSettings | None = None,
    count_settings: CountSettings | None = None,
) -> dict[Quantity, SeriesVerdict]:
    """Judge every column of `counts` that is one of `JUDGED_COUNTS` and was read at least once.

    `beside` is the memory of the same process with the load at the same times, one entry per count;
    `since_s` is when its last life began: counts fall and rise with the load, so a restart is not sought in
    them. Raises ValueError, in one line, for counts that cannot be a series.
    """
    verdicts = {}
    for quantity in JUDGED_COUNTS:
        if quantity not in counts:
            continue
        series = _series(quantity, counts[quantity], beside, since_s)
        if series.t_s.size:
            verdicts[quantity] = _judge_one(series, settings, count_settings or CountSettings())
    return verdicts


def _series(quantity: Quantity, counts: Floats, beside: Series, since_s: float) -> Series:
    """Return the readings of one count that were taken, with the load beside them.

    Some counts are read more seldom than memory; left in, the cells between would look like gaps. A negative
    count is a reading that failed.
    """
    values = np.asarray(counts, dtype=np.float64)
    if values.shape != beside.t_s.shape:
        raise ValueError(f"{quantity} has {values.size} readings where t_s has {beside.t_s.size}")
    kept = np.isfinite(values) & (values >= 0) & np.isfinite(beside.t_s) & (beside.t_s >= since_s)
    if kept.any() and values[kept].max() > LARGEST_READING:
        raise ValueError(f"{quantity} holds {values[kept].max():g}, which is no possible reading")
    part = beside.part(kept)
    return replace(part, values=values[kept], quantity=quantity, swap_bytes=None, audio_s=None)


def _judge_one(series: Series, settings: JudgeSettings | None, own: CountSettings) -> SeriesVerdict:
    judged = judge_series(series, settings, budget_over_run=own.budget(float(np.median(series.values))))
    judged = replace(judged, at_rest=_at_rest(series))
    if series.quantity is Quantity.SESSIONS and judged.at_rest:
        left = Reason(ReasonKind.LEFT_OVER, {"left": judged.at_rest})
        judged = replace(judged, reasons=(*judged.reasons, left))
    return judged


def _at_rest(series: Series) -> float | None:
    """Return the lowest reading of the last quiet window, or None without any."""
    if series.phase is None:
        return None
    windows = runs(series.phase == "rest")
    return float(series.values[windows[-1]].min()) if windows else None

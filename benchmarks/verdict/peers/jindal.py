"""Linear backward regression and Precog, the two algorithms of Jindal et al.

Sources: Jindal, Staab, Cardoso, Gerndt, Podolskiy, "Online Memory Leak Detection in the Cloud-based
Infrastructures" (ICSOC 2020 Workshops, 2021, arXiv 2101.09799) and, for linear backward regression, Jindal,
Staab, Kulkarni, Cardoso, Gerndt, Podolskiy, "Memory Leak Detection Algorithms in the Cloud-based
Infrastructure" (arXiv 2106.08938); where the papers leave something open, the authors' code
(github.com/ansjin/memory_leak_detection) was followed.

Both expect days of a virtual machine's memory in per cent of its size, read every 5 minutes. A trace lasts
from minutes to days and has no size. So the durations of windows become shares of the trace, measured against
`PAPER_SPAN_S`, and Precog's 100 % is the highest reading so far: of 1.0 to 1.3 times the peak, that was right
most often on the tuning part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.verdict.peers.readings import Lines, medians, readings, seconds_until
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.verdict.peers.readings import Line
    from soak.analyse import Series

DAY_S = 86400.0
PAPER_SPAN_S = 8 * DAY_S
"""Seconds of the authors' example traces (Alibaba cluster trace); windows are scaled by it."""
MIN_R2 = 0.8
"""R² a trend needs (`req_trend_r2`)."""
CRITICAL_TIME_S = 7 * DAY_S
"""Seconds within which a trend must reach the limit (`critical_time`); not scaled, which is kinder."""
MIN_TREND_S = 6 * 3600.0
"""Seconds a trend must last and change points be apart (`req_trend_duration`, `min_separation_duration`)."""
RESAMPLE_S = 300.0
"""Seconds per point (`resampling_time_resolution`)."""
SMOOTHING_POINTS = 12
"""Points of the running median (`smoothing_window`: 1 hour of 5 minutes)."""
LBR_FIRST_WINDOW = 60
"""Points of the shortest window (`min_window`)."""
LBR_WINDOW_STEP = 50
"""Points each window is longer than the one before (`inc_window`)."""

CHANGE_POINT_SCORE = 3.5
"""Modified z-score of a step above which it is a change point."""
MAD_TO_DEVIATION = 0.6745
"""Median absolute deviation of a normal distribution, in standard deviations."""
MIN_LEVEL = 0.4
"""Share of the limit below which Precog says nothing (`min_value`: 40 %)."""
SURE_LEVEL = 0.95
"""Share of the limit above which the training's maxima no longer excuse (95 %)."""
MAXIMA = 10
"""Highest values looked at by the filter of maxima (`top_max_n_values`)."""
TRAINING_SHARE = 0.9
"""Share of the trace Precog is trained on: of 0.25 to 0.9, right most often on the tuning part."""


@dataclass(frozen=True)
class Scaled:
    """A trace as the authors' programs see it, after resampling and smoothing."""

    t_s: NDArray[np.float64]
    """Seconds."""
    level: NDArray[np.float64]
    """Bytes."""
    limit: float
    """Bytes."""
    scale: float
    """The trace's length over `PAPER_SPAN_S`, at most 1: by this every window is shortened."""


@dataclass(frozen=True)
class Trend:
    """A straight rise, from one change point to another."""

    line: Line
    duration_s: float
    exit_s: float
    """Seconds until the limit at this slope."""


def linear_backward_regression(series: Series) -> Label:
    """Climbing if the readings rise straight over some window that ends now; else plateau.

    Windows grow backwards from the end, from `LBR_FIRST_WINDOW` points (a fifth of the trace if that is
    more, as in the code) by `LBR_WINDOW_STEP`. One is a leak if its line rises with R² of at least `MIN_R2`.
    The paper's further condition, that the line reaches a critical level in a critical time, is not in the
    authors' code, and leaving it out is kinder: right of 86 % of the tuning part instead of at most 85 %.
    Left out too is the code's removal of a period guessed by FFT, which has no default and divides by the
    level.
    """
    trace = scaled(series)
    if trace is None:
        return Label.PLATEAU
    count = trace.t_s.size
    lines = Lines(trace.t_s, trace.level)
    first = min(count, max(LBR_FIRST_WINDOW, count // 5))
    for window in range(first, count + 1, LBR_WINDOW_STEP):
        line = lines.between(count - window, count)
        if line.slope > 0.0 and line.r2 >= MIN_R2:
            return Label.CLIMBING
    return Label.PLATEAU


def precog(series: Series) -> Label:
    """Climbing if a rise up to now is straight, soon at the limit, and worse than those of the training.

    The trace is cut at change points, `MIN_TREND_S` apart: steps whose modified z-score is above
    `CHANGE_POINT_SCORE`, the authors' code's default (it offers three standard deviations too).
    Training, over the first `TRAINING_SHARE`: from each change point, the best trend to a later one that
    would have reached the limit in `CRITICAL_TIME_S` and yet ended. Detection: from each change point to the
    end, a line with R² above `MIN_R2`, lasting `MIN_TREND_S`, reaching the limit within `CRITICAL_TIME_S`, at
    least as steep and as long as the training's steepest and longest, or as any one trend of it. The filter
    of maxima (PrecogMF, the code's default) then excuses a last segment one of whose `MAXIMA` highest values
    is below the median of the training's highest. Left open: how much to train on; a soak has no history.
    """
    trace = scaled(series)
    if trace is None or trace.level[-1] < MIN_LEVEL * trace.limit:
        return Label.PLATEAU
    trained_until = int(
        np.searchsorted(trace.t_s, trace.t_s[0] + TRAINING_SHARE * (trace.t_s[-1] - trace.t_s[0]))
    )
    if trained_until < 2:
        return Label.PLATEAU
    known = _training_trends(trace, trained_until)
    cuts = change_points(trace.t_s, trace.level, MIN_TREND_S * trace.scale)
    lines = Lines(trace.t_s, trace.level)
    if not any(_worse(_trend(trace, lines, cut, trace.t_s.size), known, trace) for cut in cuts[:-1]):
        return Label.PLATEAU
    usual = float(np.median(np.sort(trace.level[:trained_until])[-MAXIMA:]))
    last = np.sort(trace.level[cuts[-2] :])[-MAXIMA:]
    excused = np.any((last < SURE_LEVEL * trace.limit) & (last < usual))
    return Label.PLATEAU if excused else Label.CLIMBING


def scaled(series: Series) -> Scaled | None:
    """Resample and smooth as the authors do, durations as shares of the trace; None with under 3 points."""
    t_s, rss = readings(series)
    if t_s.size < 3 or t_s[-1] <= t_s[0]:
        return None
    scale = min(1.0, float(t_s[-1] - t_s[0]) / PAPER_SPAN_S)
    points_t_s, level = medians(t_s, rss, RESAMPLE_S * scale)
    if points_t_s.size < 3:
        return None
    padded = np.concatenate([np.full(SMOOTHING_POINTS - 1, np.nan), level])
    windows = np.lib.stride_tricks.sliding_window_view(padded, SMOOTHING_POINTS)
    return Scaled(points_t_s, np.nanmedian(windows, axis=1), float(rss.max()), scale)


def change_points(t_s: NDArray[np.float64], level: NDArray[np.float64], apart_s: float) -> list[int]:
    """Give the indices the trace is cut at, the first and the last reading among them, `apart_s` apart."""
    steps = np.abs(np.diff(level))
    away = np.abs(steps - np.median(steps))
    spread = float(np.median(away))
    unusual = MAD_TO_DEVIATION * away > CHANGE_POINT_SCORE * spread
    cuts = [0]
    for index in np.flatnonzero(unusual) + 1:
        if t_s[index] - t_s[cuts[-1]] >= apart_s:
            cuts.append(int(index))
    end = t_s.size - 1
    return [*cuts, end] if cuts[-1] != end else cuts


def _trend(trace: Scaled, lines: Lines, first: int, end: int) -> Trend | None:
    duration_s = float(trace.t_s[end - 1] - trace.t_s[first])
    if end - first < 2 or duration_s < MIN_TREND_S * trace.scale:
        return None
    line = lines.between(first, end)
    if line.r2 <= MIN_R2 or line.slope <= 0.0:
        return None
    return Trend(
        line, duration_s, seconds_until(trace.limit, level=float(trace.level[end - 1]), slope=line.slope)
    )


def _training_trends(trace: Scaled, until: int) -> list[Trend]:
    """Find, from each change point, the best trend that had ended by the end of the training."""
    t_s, level = trace.t_s[:until], trace.level[:until]
    cuts = change_points(t_s, level, MIN_TREND_S * trace.scale)
    lines = Lines(t_s, level)
    found = []
    for at, first in enumerate(cuts[:-1]):
        best: Trend | None = None
        for end in cuts[at + 1 : -1]:
            trend = _trend(trace, lines, first, end)
            if trend is not None and (best is None or _at_least(trend, best)):
                best = trend
        if best is not None and best.exit_s <= CRITICAL_TIME_S:
            found.append(best)
    return found


def _at_least(trend: Trend, other: Trend) -> bool:
    return (
        trend.line.r2 >= other.line.r2
        and trend.line.slope >= other.line.slope
        and trend.duration_s >= other.duration_s
    )


def _worse(trend: Trend | None, known: list[Trend], trace: Scaled) -> bool:
    if trend is None or trend.exit_s > CRITICAL_TIME_S:
        return False
    steepest = max((k.line.slope for k in known), default=0.0)
    longest = max((k.duration_s for k in known), default=MIN_TREND_S * trace.scale)
    if trend.line.slope >= steepest and trend.duration_s >= longest:
        return True
    return any(trend.line.slope >= k.line.slope and trend.duration_s >= k.duration_s for k in known)

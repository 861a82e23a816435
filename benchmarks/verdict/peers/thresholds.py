"""The rules that hold a slope, a difference or a forecast against a fixed threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import minimum_filter1d

from benchmarks.verdict.peers.readings import fit_line, medians, readings
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from soak.analyse import Series

MIB = 1024.0 * 1024.0

NAVIAN_BUDGET_BYTES = 2e6
"""Bytes the line through the back half may gain (navian-memcheck, `--slope-budget 2mb`)."""
NAVIAN_MIN_READINGS = 8
"""Readings below which it says inconclusive. The manual has the answer but not the number: chosen here."""

FIRST_LAST_GROWTH = 0.10
"""Share by which the last level may exceed the first."""
FIRST_LAST_PART = 0.1
"""Share of the readings whose median is the first level, and the last."""

MCPLOAD_SETTLE_S = 60.0
"""Seconds left out at the start (mcpload `LeakSettleS`)."""
MCPLOAD_MIN_WINDOW_S = 120.0
"""Seconds of load below which its verdict is "skipped" (`LeakMinLoadS`): inconclusive here."""
MCPLOAD_ENVELOPE_POINTS = 3
"""Points of the centred rolling minimum (`EnvelopeBuckets`)."""
MCPLOAD_POINT_S = 30.0
"""Seconds per point. Its sampler's interval is an option: of 5 to 60, the kindest on the tuning part."""
MCPLOAD_MIN_R2 = 0.7
"""R² of the envelope's line (`MinR2`)."""
MCPLOAD_MIN_GROWTH_BYTES = 5.0 * MIB
"""Bytes the line must gain over the window (`MemMinGrowthMiB`)."""

FORECAST_LIMIT_OF_PEAK = 1.02
"""The memory limit, as a multiple of the highest reading so far."""
FORECAST_RANGE = 0.5
"""Share of the trace the forecast is fitted to, the last of it."""
FORECAST_HORIZON_RANGES = 4.0
"""How many ranges ahead the forecast looks."""


def back_half_line(series: Series) -> Label:
    """Climbing if a least-squares line through the back half gains more than `NAVIAN_BUDGET_BYTES`.

    navian-memcheck 0.1 (docs.rs/navian-memcheck): "fits a line through the back half of the run, and fails if
    the slope is still climbing"; the budget is that of its manual's example, 2 MB over the half. Its hard cap
    on memory is left out, as a trace has none. Too few readings are inconclusive, an answer it has.
    """
    t_s, rss = readings(series)
    if t_s.size < NAVIAN_MIN_READINGS:
        return Label.INCONCLUSIVE
    half = t_s >= (t_s[0] + t_s[-1]) / 2
    line = fit_line(t_s[half], rss[half])
    gain = line.slope * float(t_s[half][-1] - t_s[half][0])
    return Label.CLIMBING if gain > NAVIAN_BUDGET_BYTES else Label.PLATEAU


def last_against_first(series: Series) -> Label:
    """Climbing if the last level exceeds the first by more than `FIRST_LAST_GROWTH`; else plateau.

    The folk rule of soak scripts, with no one source: compare memory at the end with memory at the start, and
    tolerate 10 %. Scripts differ in what they take for a level; the median of a tenth was kindest: right of
    70 % of the tuning part, single readings of 61 %.
    """
    _, rss = readings(series)
    if rss.size < 2:
        return Label.PLATEAU
    part = max(1, int(FIRST_LAST_PART * rss.size))
    first, last = float(np.median(rss[:part])), float(np.median(rss[-part:]))
    return Label.CLIMBING if last > first * (1.0 + FIRST_LAST_GROWTH) else Label.PLATEAU


def rolling_minimum(series: Series) -> Label:
    """Climbing if the rolling minimum rises straight and far enough; else plateau.

    mcpload (github.com/atul121001/mcpload, `internal/analysis/analysis.go`, memory_leak): a line by least
    squares through a centred rolling minimum, after the first minute, with thresholds for its R² and gain.
    Under two minutes of load its verdict is skipped. Left out: its default slope limit of 1 MiB per minute,
    meant for soaks of ten minutes (over days it asks for gigabytes: right of 65 % of the tuning part, not
    80 %), and its second test, of what memory falls back to after the load: most traces end under load.
    """
    t_s, rss = readings(series)
    if t_s.size == 0:
        return Label.INCONCLUSIVE
    later = t_s >= t_s[0] + MCPLOAD_SETTLE_S
    t_s, rss = t_s[later], rss[later]
    if t_s.size < 3 or t_s[-1] - t_s[0] < MCPLOAD_MIN_WINDOW_S:
        return Label.INCONCLUSIVE
    t_s, rss = medians(t_s, rss, MCPLOAD_POINT_S)
    line = fit_line(t_s, minimum_filter1d(rss, MCPLOAD_ENVELOPE_POINTS, mode="nearest"))
    far = line.slope * float(t_s[-1] - t_s[0]) >= MCPLOAD_MIN_GROWTH_BYTES
    return Label.CLIMBING if far and line.r2 >= MCPLOAD_MIN_R2 else Label.PLATEAU


def predict_linear(series: Series) -> Label:
    """Climbing if a line through the last part reaches the memory limit within the horizon; else plateau.

    Prometheus' `predict_linear(v[range], t)` (least squares over the range, extended to t seconds from now)
    as alerts use it. The manual's example looks 4 hours ahead from 1 hour: the ratio is kept, but a trace has
    6 minutes or 8 days, so the range is a share of it. The limit must follow from the trace: a multiple of
    its peak. Of limits from 1.0 to 1.3 times the peak and ranges from a tenth to a half, these two were
    kindest: right of 84 % of the tuning part. At the 1.3 operators give such servers, most leaks are missed.
    """
    t_s, rss = readings(series)
    if t_s.size < 2:
        return Label.PLATEAU
    now_s, range_s = float(t_s[-1]), FORECAST_RANGE * float(t_s[-1] - t_s[0])
    recent = t_s >= now_s - range_s
    line = fit_line(t_s[recent], rss[recent])
    reached = line.at(now_s + FORECAST_HORIZON_RANGES * range_s)
    return Label.CLIMBING if reached > FORECAST_LIMIT_OF_PEAK * float(np.max(rss)) else Label.PLATEAU

"""Steady-state detection of performance tests, turned to memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.verdict.peers.readings import medians, readings
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse import Series

    Floats = NDArray[np.float64]

LEAST_READINGS = 10
"""Readings below which nothing is said: there is no window to look at."""
POINTS = 300
"""The trace is brought to so many points, each the median of its part."""
OUTLIERS_IN, OUTSIDE = 30, 0.05
"""In each stretch of so many points the outermost share is set to the stretch's median."""
KERNEL = 0.1
"""Half the width of the step that is looked for, as a share of the points."""
LEAST_TAIL = 0.7
"""Share of the points that are looked at for steadiness at least, however late the step."""
CRITICAL = 3.0
"""Standard deviations around the level within which a point is at it."""
STEADY = 0.8
"""Share of the points of a window that must be at its level."""


def steady_state(series: Series) -> Label:
    """Climbing unless the trace reaches a steady state; a drift downwards is none that fills a machine.

    KB-KSSD (Beseda, Cortellessa, Di Pompeo, Traini and Tucci, "A kernel-based approach for accurate
    steady-state detection in performance time series", arXiv 2506.04204, 2025), made to find when a benchmark
    has warmed up (the question of Traini et al., Empirical Software Engineering 28:13, 2023): outliers are
    smoothed away, the end of the warm-up is where a step-shaped kernel answers most, and what follows is
    steady as Kelly and Hedengren say (Journal of Process Control 23, 2013): a random walk with drift is taken
    off, and enough points lie within `CRITICAL` deviations of the level that is left. The kernel looks for a
    step up, where theirs looks for one down: times fall in a warm-up, memory rises. Written from the papers;
    windows are shares of the trace. Of tails from 0.3 to 0.7, kernels of 0.05 and 0.1, 1.5 to 3 deviations
    and shares from 0.5 to 0.9, these were kindest: right of 81 % of the tuning part. With under
    `LEAST_READINGS` readings nothing is said.
    """
    t_s, rss = readings(series)
    if t_s.size < LEAST_READINGS or t_s[-1] <= t_s[0]:
        return Label.INCONCLUSIVE
    _, points = medians(t_s, rss, float(t_s[-1] - t_s[0]) / POINTS)
    points = without_outliers(points)
    if points.size < LEAST_READINGS:
        return Label.INCONCLUSIVE
    begin = min(largest_step(points), round((1.0 - LEAST_TAIL) * points.size))
    drift, steady = steadiness(points[begin:])
    return Label.CLIMBING if drift > 0 and steady < STEADY else Label.PLATEAU


def without_outliers(points: Floats) -> Floats:
    """Set what lies outermost in each stretch to the stretch's median."""
    smoothed = points.copy()
    for first in range(0, points.size, OUTLIERS_IN):
        stretch = points[first : first + OUTLIERS_IN]
        low, middle, high = np.quantile(stretch, (OUTSIDE / 2, 0.5, 1.0 - OUTSIDE / 2))
        smoothed[first : first + OUTLIERS_IN] = np.where((stretch < low) | (stretch > high), middle, stretch)
    return smoothed


def largest_step(points: Floats) -> int:
    """Return the first point after the steepest rise over the kernel's width; 0 where nothing rises."""
    half = max(2, round(KERNEL * points.size))
    sums = np.concatenate([[0.0], np.cumsum(points - points.mean())])
    before = sums[half:-half] - sums[: -2 * half]
    after = sums[2 * half :] - sums[half:-half]
    rises = after - before
    if rises.size == 0 or rises.max() <= 0:
        return 0
    return int(rises.argmax()) + half


def steadiness(window: Floats) -> tuple[float, float]:
    """Return the drift per point, and the share of the points that lie at the level without it."""
    at = np.arange(1.0, window.size + 1)
    drift = float(np.diff(window).mean())
    level = float(window.mean() - drift * at.mean())
    noise = window - level - drift * at
    deviation = float(np.sqrt(noise @ noise / max(window.size - 2, 1)))
    allowed = CRITICAL * deviation + 1e-9 * abs(level)
    return drift, float((np.abs(window - level) <= allowed).mean())

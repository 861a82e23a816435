"""What every rule starts from: the readings that did not fail, and a line through some of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse import Series


@dataclass(frozen=True)
class Line:
    """A line by ordinary least squares."""

    slope: float
    """Bytes per second; 0 where all readings share one time."""
    level: float
    """Bytes, at the mean of the times."""
    mean_t_s: float
    """Seconds."""
    r2: float
    """Coefficient of determination; 0 when the readings are constant."""

    def at(self, t_s: float) -> float:
        """Give the line's value, in bytes, at a time."""
        return self.level + self.slope * (t_s - self.mean_t_s)


def readings(series: Series) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give (seconds, bytes) of the readings that did not fail."""
    good = np.isfinite(series.t_s) & np.isfinite(series.values)
    return series.t_s[good], series.values[good]


def fit_line(t_s: NDArray[np.float64], y: NDArray[np.float64]) -> Line:
    """Fit a line by least squares; raises ValueError without a reading."""
    if t_s.size == 0:
        raise ValueError("a line needs at least one reading")
    mean_t_s, level = float(t_s.mean()), float(y.mean())
    dt, dy = t_s - mean_t_s, y - level
    tt, ty, yy = float(dt @ dt), float(dt @ dy), float(dy @ dy)
    if tt == 0.0:
        return Line(0.0, level, mean_t_s, 0.0)
    return Line(ty / tt, level, mean_t_s, 0.0 if yy == 0.0 else min(1.0, ty * ty / (tt * yy)))


class Lines:
    """Lines through any stretch of the same readings, each in constant time from running sums."""

    def __init__(self, t_s: NDArray[np.float64], y: NDArray[np.float64]) -> None:
        """Sum up; centred first, since squares of gigabytes would lose digits."""
        self._t0, self._y0 = float(t_s.mean()), float(y.mean())
        t, v = t_s - self._t0, y - self._y0
        self._sums = np.vstack(
            [np.concatenate([[0.0], np.cumsum(column)]) for column in (t, v, t * t, t * v, v * v)]
        )

    def between(self, first: int, end: int) -> Line:
        """Fit readings `first` to `end` (exclusive)."""
        n = end - first
        t, v, tt, tv, vv = (float(x) for x in self._sums[:, end] - self._sums[:, first])
        spread_t, together, spread_v = tt - t * t / n, tv - t * v / n, vv - v * v / n
        mean_t_s, level = self._t0 + t / n, self._y0 + v / n
        if spread_t <= 0.0:
            return Line(0.0, level, mean_t_s, 0.0)
        r2 = 0.0 if spread_v <= 0.0 else min(1.0, together * together / (spread_t * spread_v))
        return Line(together / spread_t, level, mean_t_s, r2)


def medians(
    t_s: NDArray[np.float64], y: NDArray[np.float64], width_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Resample to the median of each `width_s` seconds, empty ones left out: (mean time, bytes)."""
    bins = np.floor((t_s - t_s[0]) / width_s).astype(np.int64)
    starts = np.flatnonzero(np.diff(bins, prepend=-1))
    counts = np.diff(starts, append=t_s.size)
    ordered = y[np.lexsort((y, bins))]
    middle = (ordered[starts + (counts - 1) // 2] + ordered[starts + counts // 2]) / 2
    return np.add.reduceat(t_s, starts) / counts, middle


def seconds_until(limit: float, *, level: float, slope: float) -> float:
    """Give the seconds until `slope` takes `level` to `limit` (bytes); infinite if it never does."""
    return math.inf if slope <= 0.0 else max(0.0, (limit - level) / slope)

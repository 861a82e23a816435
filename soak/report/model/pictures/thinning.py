"""Thinning a long series for drawing without losing its peaks and troughs."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_POINTS = 2000
"""Points per drawn line: about one per pixel of a wide screen, so that a day's run draws at once."""


def thinned_indices(values: NDArray[np.float64], max_points: int = MAX_POINTS) -> NDArray[np.intp]:
    """Pick the rows to draw: the lowest and the highest value of each of `max_points` // 2 equal buckets.

    A bucket with a gap (NaN) that holds nothing else contributes one gap, so that breaks in the line stay.
    The first and the last row are always among them. Returns at most `max_points` + 2 ascending indices.
    """
    count = len(values)
    if count <= max_points:
        return np.arange(count)
    edges = np.linspace(0, count, max_points // 2 + 1).astype(np.intp)
    low = np.where(np.isnan(values), np.inf, values)
    high = np.where(np.isnan(values), -np.inf, values)
    picked = [0, count - 1]
    for start, stop in itertools.pairwise(edges):
        picked.append(int(start + low[start:stop].argmin()))
        picked.append(int(start + high[start:stop].argmax()))
    return np.unique(np.asarray(picked, dtype=np.intp))


def thin(
    t_s: NDArray[np.float64], values: NDArray[np.float64], max_points: int = MAX_POINTS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the times and values to draw, at most `max_points` + 2 of them, extremes kept."""
    picked = thinned_indices(values, max_points)
    return t_s[picked], values[picked]

"""What readings are rounded to, as far as the readings tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_LEVELS = 4
"""Different readings below which nothing is said: two levels are multiples of anything."""
MOST_EXACT = 2.0**53
"""Larger numbers are not exact in floating point."""


def grain_of(values: NDArray[np.float64], least: float) -> float:
    """Return the largest step that all readings are a whole number of apart, and at least `least`.

    A tool that writes megabytes shows itself so: nothing smaller is in its readings.
    """
    levels = np.unique(np.rint(values))
    if levels.size < LEAST_LEVELS or np.abs(levels).max() >= MOST_EXACT:
        return least
    step = float(np.gcd.reduce(np.diff(levels).astype(np.int64)))
    return max(step, least)

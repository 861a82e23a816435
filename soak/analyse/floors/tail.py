"""Where the course that memory has at the end began: what was before it is warm-up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.floors.points import MAD_TO_DEVIATION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse.floors.points import Points

    Floats = NDArray[np.float64]

STRAY = 4.0
"""Typical deviations about the line of the later half that a point may stray below it."""


@dataclass(frozen=True, eq=False)
class Tail:
    """The last part of the points, about a line with the growth that lasts."""

    first: int
    """Index of its first point."""
    line: Floats
    """Of every point, the height of the line."""

    @property
    def begins_late(self) -> bool:
        """Tell whether a warm-up came before it."""
        return self.first > 0


def tail_of(points: Points, growth: float, tolerance: float) -> Tail:
    """Return the tail of the points: from the last one that lies well below the line on.

    `growth` is the growth over the points, along connections where they are counted, else along time;
    `tolerance`, in the unit of the series, is what a point may always stray.
    """
    share = points.work_done
    later = points.values.size // 2
    about = points.values - growth * share
    ground = float(np.median(about[later:]))
    spread = MAD_TO_DEVIATION * float(np.median(np.abs(about[later:] - ground)))
    below = np.flatnonzero(about < ground - max(STRAY * spread, tolerance))
    before = below[below < later]
    return Tail(int(before[-1]) + 1 if before.size else 0, ground + growth * share)

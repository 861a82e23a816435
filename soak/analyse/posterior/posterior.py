"""What is believed of the growth that lasts, from the points of one life: the only way into this room."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.posterior.conditioning import conditioned
from soak.analyse.posterior.network import beliefs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse.floors.points import Points
    from soak.analyse.posterior.growth import Growth

    Floats = NDArray[np.float64]

TRIED = np.geomspace(1e-3, 10.0, 25)
"""Leaks that are added to find the smallest that would have shown, in spreads of the points."""


def posterior_of(points: Points, grain: float, *, in_steps: bool = False) -> Growth:
    """Return what is believed of the growth that lasts, from at least two points.

    It is the growth over the points, from the first to the last, in the unit of the series. `grain` is what
    readings are rounded to, in their unit; `in_steps` says that the points are in order of steps, and know no
    seconds. It knows of no budget: what is accepted does not change what is believed.
    """
    return beliefs([conditioned(points, grain, in_steps=in_steps)])[0]


def smallest_seen(
    points: Points,
    growth: Growth,
    grain: float,
    budget: float,
    confidence: float,
    *,
    in_steps: bool = False,
) -> float:
    """Return the lasting growth over the points from which on none would have been called flat.

    It is found by trying: growth in proportion to the work is put in the place of what is believed to last,
    and the points are judged anew. What is called flat stays within `budget` with `confidence`; both growths
    are in the unit of the series, over the points. NaN where any growth that was tried would pass.
    """
    share = points.work_done
    lasting = growth.quantile(0.5)
    spread = max(float(np.ptp(points.values - lasting * share)), grain)
    tried = budget + spread * TRIED
    shown = [conditioned(_with(points, (more - lasting) * share), grain, in_steps=in_steps) for more in tried]
    seen = float("nan")
    for more, believed in zip(tried[::-1], beliefs(shown)[::-1], strict=True):
        if believed.beyond(budget) <= 1.0 - confidence:
            break
        seen = float(more)
    return seen


def _with(points: Points, more: Floats) -> Points:
    return replace(
        points, values=points.values + more, middle=points.middle + more, highest=points.highest + more
    )

"""What growth follows: the axis along which the points lie straightest."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.floors.points import share_done
from soak.verdict.verdict import Follows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse.floors.points import Points

    Floats = NDArray[np.float64]

LEAST_POINTS = 8
"""Points below which axes are not told apart."""
TELLING = 6.0
"""Difference of log likelihood from which one axis is said to explain the growth better (odds of 400 to 1):
memory is taken before a connection is counted, so that close axes mislead."""
WARMING = (5.0, 25.0)
"""Rates, per length of the points, of the warm-ups that may stand beside the growth."""


def growth_follows(points: Points) -> Follows | None:
    """Return the axis that growth follows; None where no axis explains the points much better than others.

    Each axis is put through the points by least squares, beside two warm-ups; what is left tells them apart.
    Readings that remember count for fewer: n (1 - r) / (1 + r) of them, with r the correlation of neighbours
    (Bartlett, "Some aspects of the time-correlation problem", J. Royal Statistical Society 98, 1935).
    """
    if points.values.size < LEAST_POINTS:
        return None
    axes: dict[Follows, Floats | None] = {
        Follows.TIME: points.t_s,
        Follows.CONNECTIONS: points.connections,
        Follows.AUDIO: points.audio_s,
    }
    left = {name: _left(points.values, axis) for name, axis in axes.items() if axis is not None}
    if len(left) < 2:
        return None
    best = min(left, key=lambda name: float(left[name] @ left[name]))
    least = float(left[best] @ left[best])
    second = min(float(each @ each) for name, each in left.items() if name is not best)
    if second <= 0:
        return None
    count = points.values.size * _worth(left[best])
    told = math.inf if least <= 0 else 0.5 * count * math.log(second / least)
    return best if told >= TELLING else None


def _left(values: Floats, axis: Floats) -> Floats:
    share = share_done(axis)
    design = np.column_stack([np.ones_like(share), share, *(np.exp(-rate * share) for rate in WARMING)])
    fitted, *_ = np.linalg.lstsq(design, values - values.mean(), rcond=None)
    left: Floats = values - values.mean() - design @ fitted
    return left


def _worth(left: Floats) -> float:
    power = float(left @ left)
    if power <= 0:
        return 1.0
    alike = min(max(float(left[1:] @ left[:-1]) / power, 0.0), 0.99)
    return (1.0 - alike) / (1.0 + alike)

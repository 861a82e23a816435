"""Points as the posterior's network reads them: without a unit, so that bytes, counts and heaps are alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.floors.points import MAD_TO_DEVIATION, MOST_POINTS, share_done

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse.floors.points import Points

    Floats = NDArray[np.float64]

CHANNELS = 10
"""Numbers to each point."""
SCALARS = 24
"""Numbers to the series as a whole."""
LAST_PARTS = (1.0, 2 / 3, 1 / 2, 1 / 3, 1 / 6)
"""Shares of the points, from the end, that a line is put through: how steep it is, and how sure that is."""
LATE_SHARE = 4
"""Heights are told against the median of the last quarter of the points."""
ROUNDED = 0.29
"""Standard deviation of rounding, in steps: one over the root of twelve."""
SMALLEST_SPREAD = 1e-9
"""Of the level: below this, memory did not move."""


@dataclass(frozen=True, eq=False)
class Conditioned:
    """What the network is given."""

    channels: NDArray[np.float32]
    """(CHANNELS, MOST_POINTS); points stand at the end, and what is before them is 0."""
    scalars: NDArray[np.float32]
    """(SCALARS,)"""
    unit: float
    """The spread of the points, in the unit of the series: growth is told in multiples of it."""


def conditioned(points: Points, grain: float, *, in_steps: bool = False) -> Conditioned:
    """Return what the network is given of these points, of which there is at least one.

    `grain` is what readings are rounded to, in their unit. `in_steps` says that the axis knows no seconds.
    """
    values = points.values
    low, high = np.quantile(values, (0.05, 0.95))
    level = max(abs(points.level), grain)
    unit = max(float(high - low), grain, SMALLEST_SPREAD * level)
    jumps = np.abs(np.diff(values))
    noise = MAD_TO_DEVIATION * float(np.median(jumps)) / math.sqrt(2) if jumps.size else 0.0
    noise = max(noise, ROUNDED * grain, SMALLEST_SPREAD * level)
    ground = float(np.median(values[-max(1, values.size // LATE_SHARE) :]))
    channels = np.zeros((CHANNELS, MOST_POINTS), dtype=np.float32)
    channels[:, MOST_POINTS - values.size :] = [
        np.ones_like(values),
        np.arcsinh((values - ground) / unit),
        np.arcsinh((values - ground) / noise) / 4,
        np.arcsinh((points.middle - values) / unit),
        np.arcsinh((points.highest - values) / unit),
        share_done(points.t_s),
        points.work_done,
        np.zeros_like(values) if points.open_connections is None else _of_most(points.open_connections),
        points.at_rest,
        _strides(points.t_s),
    ]
    counted = 0.0 if points.connections is None else float(np.ptp(points.connections))
    scalars = np.array(
        [
            math.log(points.readings) / 5,
            math.log(values.size) / 5,
            0.0 if in_steps else math.log10(max(points.length_s, 1e-3)) / 5,
            float(in_steps),
            math.log10(1.0 + counted) / 5,
            float(points.connections is not None),
            float(points.open_connections is not None),
            float(points.at_rest.mean()),
            math.log(level / unit) / 8,
            math.log(grain / unit) / 8,
            math.log(noise / unit) / 4,
            math.log(max(float(np.ptp(values)), unit) / unit) / 4,
            math.log1p(points.windows) / 4,
            0.0
            if points.open_connections is None
            else math.asinh(points.per_open_connection * float(np.std(points.open_connections)) / unit),
            *_slopes(channels[5, MOST_POINTS - values.size :].astype(np.float64), (values - ground) / unit),
        ],
        dtype=np.float32,
    )
    return Conditioned(channels, scalars, unit)


def _slopes(share: Floats, heights: Floats) -> list[float]:
    """Return the slope over each last part, and how many standard errors it is from none."""
    told = []
    for part in LAST_PARTS:
        first = max(0, min(heights.size - 3, round((1.0 - part) * heights.size)))
        x, y = share[first:] - share[first:].mean(), heights[first:] - heights[first:].mean()
        squares = float(x @ x)
        if squares <= 0 or x.size < 3:
            told += [0.0, 0.0]
            continue
        slope = float(x @ y) / squares
        error = math.sqrt(max(float(y @ y) - slope**2 * squares, 1e-12) / (x.size - 2) / squares)
        told += [math.asinh(slope) / 2, math.asinh(slope / error) / 4]
    return told


def _of_most(opened: Floats) -> Floats:
    return opened / max(float(opened.max()), 1e-9)


def _strides(t_s: Floats) -> Floats:
    """Return how far each point lies from the one before, in logarithms of the typical stride."""
    if t_s.size < 3:
        return np.zeros_like(t_s)
    strides = np.diff(t_s)
    told = np.log(np.maximum(strides, 1e-12) / max(float(np.median(strides)), 1e-12))
    return np.concatenate([[0.0], np.clip(told / 3, -3, 3)])

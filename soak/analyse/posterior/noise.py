"""The noise around a trend: correlated in time to a degree nobody knows, so every degree is considered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CORRELATIONS = np.array([0.0, 0.25, 0.5, 0.7, 0.83, 0.92, 0.97, 0.99])
"""Correlations between neighbouring points that are considered."""
CORRELATION_PRIOR = np.array([3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
"""Belief in each before the data is seen; chosen, like the two below, by the coverage measured with it."""
WHITE_SHARES = np.array([0.0, 0.5])
"""Shares of the variance that are independent from point to point (rounding, one window's luck)."""
WHITE_SHARE_PRIOR = np.array([1.0, 0.15])
"""Belief in each before the data is seen."""


@dataclass(frozen=True, eq=False)
class NoiseGrid:
    """Candidate noises: an AR(1) process sampled at any spacing (Ornstein–Uhlenbeck) plus white noise."""

    correlation: NDArray[np.float64]
    """Of two points one typical spacing apart; one entry per candidate."""
    white_share: NDArray[np.float64]
    """Share of the variance that is white; one entry per candidate."""
    log_prior: NDArray[np.float64]
    """Belief in the candidate before the data is seen."""


def default_noise_grid() -> NoiseGrid:
    """Return the candidates chosen by measuring the intervals' coverage (see the coverage test)."""
    correlation, white_share = np.meshgrid(CORRELATIONS, WHITE_SHARES, indexing="ij")
    prior = np.outer(CORRELATION_PRIOR, WHITE_SHARE_PRIOR)
    keep = (correlation > 0) | (white_share == 0)
    chosen = prior[keep]
    return NoiseGrid(correlation[keep], white_share[keep], np.log(chosen / chosen.sum()))


@dataclass(frozen=True, eq=False)
class Whitened:
    """Columns made independent under each candidate noise, each with unit variance."""

    columns: NDArray[np.float64]
    """(candidates, points, columns)."""
    log_determinant: NDArray[np.float64]
    """Of the covariance, per candidate."""


def whiten(t_s: NDArray[np.float64], columns: NDArray[np.float64], grid: NoiseGrid) -> Whitened:
    """Whiten `columns` (points × columns, at times `t_s`) with a Kalman filter, all candidates at once.

    The filter needs time linear in the number of points, and takes uneven spacing as it comes. Formulas:
    Harvey, Forecasting, Structural Time Series Models and the Kalman Filter (1989), section 3.2.
    """
    points, width = columns.shape
    spacing = np.diff(t_s)
    typical = float(np.median(spacing)) if points > 1 else 1.0
    steps = np.maximum(spacing, 0.0) / (typical if typical > 0 else 1.0)
    decay = grid.correlation[None, :] ** steps[:, None]
    slow_variance = 1.0 - grid.white_share
    fresh = slow_variance * (1.0 - decay**2)
    out = np.empty((grid.correlation.size, points, width))
    variances = np.empty((points, grid.correlation.size))
    state = np.zeros((grid.correlation.size, width))
    variance = slow_variance.copy()
    for i in range(points):
        if i:
            state *= decay[i - 1][:, None]
            variance = variance * decay[i - 1] ** 2 + fresh[i - 1]
        total = variance + grid.white_share
        surprise = columns[i] - state
        variances[i] = total
        out[:, i, :] = surprise
        gain = variance / total
        state += gain[:, None] * surprise
        variance = variance * (1.0 - gain)
    floor = np.maximum(variances, 1e-9)
    out /= np.sqrt(floor).T[:, :, None]
    return Whitened(out, np.log(floor).sum(axis=0))

"""A trend through correlated points, with an interval that says honestly how little a few points show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp, stdtr

from soak.analyse.noise import LIKELIHOOD_SHARPNESS, NoiseGrid, default_noise_grid, whiten
from soak.analyse.verdict import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFAULT_GRID = default_noise_grid()
BISECTIONS = 48
"""Halvings of the bracket when a quantile is looked for: to 1e-12 of its width."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is believed of one number: Student t distributions, one per candidate noise, weighted."""

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    weight: NDArray[np.float64]
    degrees_of_freedom: int

    def quantile(self, probability: float) -> float:
        """Return the value that the number is below with this probability."""
        used = self.weight > 1e-9
        centre, scale, weight = self.centre[used], self.scale[used], self.weight[used]
        reach = 1e3 * float(scale.max())
        low, high = float(centre.min()) - reach, float(centre.max()) + reach
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            below = float(weight @ stdtr(self.degrees_of_freedom, (middle - centre) / scale))
            low, high = (middle, high) if below < probability else (low, middle)
        return 0.5 * (low + high)

    def probability_below(self, value: float) -> float:
        """Return the probability that the number is below `value`."""
        return float(self.weight @ stdtr(self.degrees_of_freedom, (value - self.centre) / self.scale))

    def interval(self, confidence: float) -> Estimate:
        """Return the median with the equal-tailed interval of this confidence."""
        tail = 0.5 * (1.0 - confidence)
        return Estimate(self.quantile(0.5), self.quantile(tail), self.quantile(1.0 - tail))


@dataclass(frozen=True, eq=False)
class Fit:
    """A linear model fitted under every candidate noise at once."""

    coefficients: NDArray[np.float64]
    """(candidates, regressors)."""
    covariance: NDArray[np.float64]
    """(candidates, regressors, regressors)."""
    weight: NDArray[np.float64]
    """How believable each candidate noise is."""
    log_evidence: float
    """Restricted log likelihood, averaged over the candidates: compares models of one shape."""
    degrees_of_freedom: int

    def posterior(self, contrast: NDArray[np.float64]) -> Posterior:
        """Return what is believed of `contrast @ coefficients`."""
        variance = np.einsum("i,gij,j->g", contrast, self.covariance, contrast)
        scale = np.sqrt(np.maximum(variance, np.finfo(float).tiny))
        return Posterior(self.coefficients @ contrast, scale, self.weight, self.degrees_of_freedom)


def fit(
    t_s: NDArray[np.float64],
    regressors: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    noise_floor: float,
    grid: NoiseGrid = DEFAULT_GRID,
) -> Fit:
    """Fit `y` (points) on `regressors` (points × p) by generalised least squares, once per candidate noise.

    Each candidate weighs in by its restricted likelihood (Patterson and Thompson 1971). `noise_floor` is the
    least standard deviation of the noise in units of `y`: a perfectly constant series still has the rounding
    of its pages. Raises ValueError when there are not more points than regressors.
    """
    points, width = regressors.shape
    if points <= width:
        raise ValueError(f"{points} points cannot carry a model of {width} numbers")
    white = whiten(t_s, np.column_stack([regressors, y]), grid)
    return solve(white.columns, white.log_determinant, grid, noise_floor)


def solve(
    columns: NDArray[np.float64], log_determinant: NDArray[np.float64], grid: NoiseGrid, noise_floor: float
) -> Fit:
    """Solve the whitened least squares of the last column on the others; see `fit`."""
    points, width = columns.shape[1], columns.shape[2] - 1
    degrees = points - width
    gram = np.einsum("gni,gnj->gij", columns, columns)
    normal, right = gram[:, :width, :width], gram[:, :width, width]
    inverse = np.linalg.inv(
        normal + 1e-12 * np.eye(width) * np.trace(normal, axis1=1, axis2=2)[:, None, None]
    )
    coefficients = np.einsum("gij,gj->gi", inverse, right)
    residuals = columns[:, :, width] - np.einsum("gni,gi->gn", columns[:, :, :width], coefficients)
    squares = np.maximum(np.einsum("gn,gn->g", residuals, residuals), degrees * noise_floor**2)
    log_likelihood = -0.5 * (log_determinant - np.linalg.slogdet(inverse)[1] + degrees * np.log(squares))
    log_weight = grid.log_prior + LIKELIHOOD_SHARPNESS * log_likelihood
    weight = np.exp(log_weight - log_weight.max())
    return Fit(
        coefficients=coefficients,
        covariance=inverse * (squares / degrees)[:, None, None],
        weight=weight / weight.sum(),
        log_evidence=float(logsumexp(grid.log_prior + log_likelihood)),
        degrees_of_freedom=degrees,
    )


def fit_line(
    t_s: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64], *, noise_floor: float
) -> tuple[Fit, float, float]:
    """Fit a straight line in `x`; return the fit with the centre and the unit its `x` was brought to.

    Its coefficients are the level at the centre and the slope per unit of x.
    """
    centre, unit = centre_and_unit(x)
    scaled = (x - centre) / unit
    return fit(t_s, np.column_stack([np.ones_like(x), scaled]), y, noise_floor=noise_floor), centre, unit


def centre_and_unit(x: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean and standard deviation of `x` (1 where it never moves)."""
    unit = float(np.std(x))
    return float(np.mean(x)), unit if unit > 0 else 1.0

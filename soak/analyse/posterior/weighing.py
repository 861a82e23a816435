"""How sure the figures make one that memory goes on growing: an additive model of the log odds.

Every figure adds to the log odds of a leak what a curve of straight lines says of its value (a generalised
additive model; Hastie and Tibshirani, Generalized Additive Models, 1990). The curves in `weights.py` were
fitted by `python -m benchmarks.verdict.fit` to made traces whose truth is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Curve:
    """What one figure adds to the log odds."""

    at: tuple[float, ...]
    """Values of the figure, rising."""
    adds: tuple[float, ...]
    """What it adds there; in between along straight lines, beyond the ends as at the ends."""


@dataclass(frozen=True)
class Weights:
    """The additive model."""

    base: float
    """Log odds that all curves start from."""
    curves: Mapping[str, Curve]
    """By the name of the figure."""


def belief_in_leak(figures: Mapping[str, float], weights: Weights) -> float:
    """Return the probability of growth beyond the budget that goes on; figures left out add nothing."""
    return float(expit(weights.base + sum(added(figures, weights).values())))


def added(figures: Mapping[str, float], weights: Weights) -> dict[str, float]:
    """Return what each figure adds to the log odds, beyond its mean over what was fitted to."""
    return {
        name: float(np.interp(figures[name], curve.at, curve.adds))
        for name, curve in weights.curves.items()
        if name in figures
    }

"""What is believed of one number when many models speak of it, each with its own doubt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.special import ndtr, stdtr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BISECTIONS = 45
"""Halvings of the bracket when a quantile is looked for: to 1e-11 of the widest interval."""
EXACT_BELOW = 20.0
"""Degrees of freedom below which a t distribution is not approximated."""
MOST_PARTS = 2000
"""Distributions a belief is made of, at most; the likeliest are kept."""
NEGLECTED = 1e-3
"""Weight of the least likely ones that is left out."""


@dataclass(frozen=True, eq=False)
class Belief:
    """What is believed of growth that goes on: a mixture of Student t's, in bytes over the run."""

    centre: Floats
    scale: Floats
    degrees: Floats
    weight: Floats

    @classmethod
    def of(cls, centre: Floats, scale: Floats, degrees: Floats, weight: Floats) -> Self:
        """Return the mixture of these distributions (arrays of one shape) without the least likely ones."""
        parts = np.column_stack([part.ravel() for part in (weight / weight.sum(), centre, scale, degrees)])
        parts = parts[np.argsort(-parts[:, 0])]
        used = min(int(np.searchsorted(np.cumsum(parts[:, 0]), 1.0 - NEGLECTED)) + 1, MOST_PARTS)
        weight, centre, scale, degrees = parts[:used].T
        return cls(centre, scale, degrees, weight / weight.sum())

    def quantile(self, probability: float) -> float:
        """Return the value that the growth is below with this probability."""
        reach = 60.0 * float(self.scale.max())
        low, high = float(self.centre.min()) - reach, float(self.centre.max()) + reach
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            if self.probability_below(middle) < probability:
                low = middle
            else:
                high = middle
        return 0.5 * (low + high)

    def probability_below(self, value: float) -> float:
        """Return the probability that the growth is below `value`."""
        z = (value - self.centre) / self.scale
        exact = self.degrees < EXACT_BELOW
        # Abramowitz and Stegun 26.7.8: a t distribution of many degrees of freedom by the normal one
        near = z * (1.0 - 0.25 / self.degrees) / np.sqrt(1.0 + 0.5 * z**2 / self.degrees)
        below = ndtr(near)
        below[exact] = stdtr(self.degrees[exact], z[exact])
        return float(self.weight @ below)

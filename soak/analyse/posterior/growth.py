"""What is believed of growth that lasts: the one distribution that every number of a verdict is read off."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scipy.special import ndtr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BISECTIONS = 50
"""Halvings of the bracket when a quantile is looked for: to 1e-13 of it."""
WIDTHS = 9.0
"""Standard deviations beyond which a part is over."""


@dataclass(frozen=True, eq=False)
class Growth:
    """Growth that lasts: none, with some probability; else of a magnitude that is told by its logarithm.

    What falls, or ends, is none: it does not fill a machine. Magnitudes are in the unit that the growth is
    asked in, such as bytes over the run.
    """

    none: float
    """Probability that nothing lasts."""
    weights: Floats
    """Of each part: probabilities, 1 together with `none`."""
    centres: Floats
    """Of the logarithm of the growth, in each part."""
    widths: Floats
    """Standard deviations of that logarithm."""

    def beyond(self, growth: float) -> float:
        """Return how likely it is that more than this lasts; a growth of 0 or less asks for any at all."""
        if growth <= 0:
            return float(self.weights.sum())
        return float(self.weights @ ndtr((self.centres - math.log(growth)) / self.widths))

    def quantile(self, probability: float) -> float:
        """Return the growth that is not exceeded with this probability: 0 where none is likelier."""
        over = 1.0 - probability
        if self.weights.sum() <= over:
            return 0.0
        low = float((self.centres - WIDTHS * self.widths).min())
        high = float((self.centres + WIDTHS * self.widths).max())
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            if self.beyond(math.exp(middle)) > over:
                low = middle
            else:
                high = middle
        return math.exp(0.5 * (low + high))

    def scaled(self, factor: float) -> Growth:
        """Return it in another unit; `factor` is above 0."""
        return replace(self, centres=self.centres + math.log(factor))

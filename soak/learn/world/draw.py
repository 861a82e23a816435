"""Random draws, in the words the world is written in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Item = TypeVar("Item")


@dataclass(frozen=True)
class Draw:
    """One seeded source of everything that is random about a trace."""

    rng: np.random.Generator

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return bool(self.rng.random() < probability)

    def between(self, low: float, high: float) -> float:
        """Return a number from a range, all alike likely."""
        return low + (high - low) * float(self.rng.random())

    def log_between(self, low: float, high: float) -> float:
        """Return a number from a range, all magnitudes alike likely."""
        return math.exp(self.between(math.log(low), math.log(high)))

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, magnitudes alike likely."""
        return min(high, int(self.log_between(low, high + 1)))

    def pick(self, choices: Sequence[Item], weights: Sequence[float] | None = None) -> Item:
        """Return one of the choices, by weight where weights are given."""
        if weights is None:
            return choices[int(self.rng.integers(len(choices)))]
        mark, reached = self.rng.random() * sum(weights), 0.0
        for choice, weight in zip(choices, weights, strict=True):
            reached += weight
            if mark < reached:
                return choice
        return choices[-1]

    def normal(self, count: int) -> Floats:
        """Return standard normal numbers."""
        return self.rng.standard_normal(count)

    def uniform(self, count: int) -> Floats:
        """Return numbers from 0 to 1."""
        return self.rng.random(count)

"""Draws of one trace, in a fixed order from one seed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

T = TypeVar("T")

FROZEN_SEED = 20_261_126
"""Part of every seed: the set with another seed is another set."""
PARTS = ("synthetic", "machines", "heap")
"""The parts, by whose place in this list they are seeded."""


class Dice:
    """What is drawn for one trace."""

    def __init__(self, part: str, number: int) -> None:
        """Seed by part and number alone, so that a trace does not depend on the ones before it."""
        self.rng = np.random.default_rng([FROZEN_SEED, PARTS.index(part), number])

    def flat(self, low: float, high: float) -> float:
        """Draw evenly."""
        return float(self.rng.uniform(low, high))

    def log(self, low: float, high: float) -> float:
        """Draw evenly by magnitude."""
        return math.exp(self.flat(math.log(low), math.log(high)))

    def whole(self, low: int, high: int) -> int:
        """Draw a whole number, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, share: float) -> bool:
        """Say yes in that share of the draws."""
        return float(self.rng.uniform()) < share

    def one_of(self, choices: Sequence[T]) -> T:
        """Draw one of some things, all alike."""
        return choices[int(self.rng.integers(len(choices)))]

    def moments(self, per_run: float, start_s: float, end_s: float) -> Floats:
        """Draw the times of rare events, in order; `per_run` is their mean number."""
        return np.sort(self.rng.uniform(start_s, end_s, self.rng.poisson(per_run)))

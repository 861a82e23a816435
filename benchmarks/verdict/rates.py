"""Shares of a number of traces, with what so few traces can tell of them. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

NORMAL_95 = 1.959963984540054
"""Standard deviations that hold 95 % of a normal distribution."""


@dataclass(frozen=True)
class Rate:
    """So many of so many."""

    part: int
    whole: int

    @classmethod
    def of(cls, holds: Iterable[bool]) -> Rate:
        """Count those that hold."""
        each = list(holds)
        return cls(sum(each), len(each))

    @property
    def share(self) -> float:
        """From 0 to 1; NaN of none."""
        return self.part / self.whole if self.whole else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share (Journal of the American Statistical Association 22, 1927)."""
        if not self.whole:
            return math.nan, math.nan
        squared = NORMAL_95**2 / self.whole
        centre = (self.share + squared / 2) / (1 + squared)
        spread = self.share * (1 - self.share) / self.whole + squared / (4 * self.whole)
        half = NORMAL_95 * math.sqrt(spread) / (1 + squared)
        return max(0.0, centre - half), min(1.0, centre + half)

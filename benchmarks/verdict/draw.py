"""The random choices behind one trace, seeded from its part, family and index alone."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Part = Literal["tuning", "test"]
"""The tuning part may be looked at while the judge is made; the test part is only scored."""

T = TypeVar("T")

MINUTE_S = 60.0
HOUR_S = 3600.0
DAY_S = 86_400.0


@dataclass(frozen=True)
class Draw:
    """Draws the parameters of one trace.

    `widen` (a share of the range's width, of its logarithm for `log_between`) opens a range at both ends in
    the test part only, so that the test part holds values no tuning trace had.
    """

    rng: np.random.Generator
    part: Part

    @classmethod
    def of(cls, part: Part, family: str, index: int) -> Draw:
        """Give trace `index` of a family its own stream, whatever was drawn before it."""
        entropy = [zlib.crc32(part.encode()), zlib.crc32(family.encode()), index]
        return cls(np.random.default_rng(np.random.SeedSequence(entropy)), part)

    @property
    def is_test(self) -> bool:
        """Whether the trace belongs to the test part."""
        return self.part == "test"

    def between(self, low: float, high: float, widen: float = 0.0) -> float:
        """Draw uniformly from a range."""
        more = widen * (high - low) if self.is_test else 0.0
        return float(self.rng.uniform(low - more, high + more))

    def log_between(self, low: float, high: float, widen: float = 0.0) -> float:
        """Draw log-uniformly from a range of positive numbers."""
        return math.exp(self.between(math.log(low), math.log(high), widen))

    def count(self, low: int, high: int, widen: float = 0.0) -> int:
        """Draw a whole number, both ends included, small ones more often."""
        return max(1, round(self.log_between(low, high, widen)))

    def chance(self, probability: float) -> bool:
        """Say yes with a probability."""
        return bool(self.rng.random() < probability)

    def one_of(self, options: Sequence[T]) -> T:
        """Take one of the options, each as likely as the others."""
        return options[int(self.rng.integers(len(options)))]


@dataclass(frozen=True, eq=False)
class Clock:
    """When the readings of a trace were taken."""

    t_s: NDArray[np.float64]
    """Seconds since the start of the recording."""
    interval_s: float
    """The interval at which readings were wanted."""

    @property
    def length_s(self) -> float:
        """The length of the recording."""
        return float(self.t_s[-1])

    @property
    def share(self) -> NDArray[np.float64]:
        """The share of the recording that had passed at each reading, 0 to 1."""
        return np.asarray(self.t_s / self.t_s[-1], dtype=np.float64)


FEWEST_READINGS = 60
MOST_READINGS = 20_000
SHORTEST_S = 6 * MINUTE_S
LONGEST_S = 8 * DAY_S
SLOWEST_INTERVAL_S = 100.0


def draw_clock(draw: Draw, shortest_s: float = SHORTEST_S, longest_s: float = LONGEST_S) -> Clock:
    """Draw a length (log-uniform) and an interval that gives between 60 and 20,000 readings.

    Some clocks jitter by up to a fifth of the interval, as a loaded machine's do; in a few recordings
    1 to 5 % of the rows were never written.
    """
    length_s = draw.log_between(shortest_s, longest_s)
    fastest_s = max(1.0, length_s / MOST_READINGS)
    slowest_s = max(fastest_s, min(SLOWEST_INTERVAL_S, length_s / FEWEST_READINGS))
    interval_s = draw.log_between(fastest_s, slowest_s)
    size = min(MOST_READINGS, int(length_s / interval_s) + 1)
    t_s = interval_s * np.arange(size, dtype=np.float64)
    if draw.chance(0.3):
        late_s = draw.rng.uniform(0.0, 0.2 * interval_s, size)
        late_s[0] = 0.0
        t_s = t_s + late_s
    if size > 2 * FEWEST_READINGS and draw.chance(0.08):
        lost = round(draw.between(0.01, 0.05) * size)
        begin = int(draw.between(0.1, 0.8) * size)
        t_s = np.delete(t_s, np.s_[begin : begin + lost])
    return Clock(t_s, interval_s)

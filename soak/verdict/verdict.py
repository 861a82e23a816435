"""What the judge says of one series: a label with its estimates, its evidence and its reasons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from soak.verdict.quantities import Quantity
    from soak.verdict.reason import Reason


class Label(StrEnum):
    """The three answers. Inconclusive is never a pass."""

    PLATEAU = "plateau"
    CLIMBING = "climbing"
    INCONCLUSIVE = "inconclusive"


class Basis(StrEnum):
    """Which readings were judged."""

    REST_WINDOWS = "rest windows"
    LOAD_ENVELOPE = "load envelope"


class Follows(StrEnum):
    """What the growth is proportional to, where the run can tell the two apart."""

    CONNECTIONS = "connections"
    AUDIO = "audio"
    TIME = "time"


@dataclass(frozen=True)
class Estimate:
    """An estimate with its bounds; all three are NaN when nothing could be estimated.

    Of growth that lasts it is the median of what is believed, with a one-sided bound on either side at the
    confidence of the verdict.
    """

    estimate: float
    low: float
    high: float

    def scaled(self, factor: float) -> Estimate:
        """Return it in another unit."""
        return Estimate(self.estimate * factor, self.low * factor, self.high * factor)


EVEN = 0.5
"""Probability from which climbing is likelier than not."""
UNKNOWN = Estimate(math.nan, math.nan, math.nan)
"""Nothing could be estimated."""


@dataclass(frozen=True)
class Settling:
    """How much more running would settle an inconclusive verdict at the noise seen so far; None = unknown."""

    more_seconds: float | None
    more_connections: float | None


@dataclass(frozen=True, eq=False)
class JudgedPoints:
    """The floors that were judged, one entry per quiet window or envelope bin, oldest first."""

    t_s: NDArray[np.float64]
    """When, on the series' own clock."""
    values: NDArray[np.float64]
    """The floor in the unit of the series, at the typical number of open connections."""
    connections: NDArray[np.float64] | None
    """Connections completed by then; None when the series has no counter."""


Line = tuple[tuple[float, float], tuple[float, float]]
"""The two ends of a line, each as seconds and value."""


@dataclass(frozen=True, eq=False)
class SeriesVerdict:
    """The judgement of one series: memory, heap in use, or a count.

    Levels are in the unit of the quantity, growths in that unit per hour, connection or second of audio,
    times in seconds on the series' own clock.
    """

    quantity: Quantity
    """What was judged."""
    label: Label
    """Plateau, climbing or inconclusive."""
    reasons: tuple[Reason, ...]
    """Why, most important first."""
    start: float
    """First reading of the life that was judged; 0 when nothing was read."""
    peak: float
    """Highest single reading of the whole series; 0 when nothing was read."""
    growth_per_hour: Estimate = UNKNOWN
    """Growth after warm-up, by time; NaN where nothing could be estimated."""
    growth_per_connection: Estimate | None = None
    """The same by connection; None without a connection counter that moves."""
    growth_per_audio_s: Estimate | None = None
    """The same by second of audio streamed; None where that was not recorded or never moves."""
    end: float = 0.0
    """Last reading of the series; 0 when nothing was read."""
    fresh: float = 0.0
    """First reading of the last life of the process: what a fresh one takes."""
    level: float | None = None
    """Level after warm-up; only for a plateau."""
    level_from_s: float | None = None
    """When the plateau began; only for a plateau."""
    confidence: float = math.nan
    """Probability from which a verdict is given, and that each bound of a growth holds with."""
    budget_per_hour: float = math.nan
    """Lasting growth up to this is a plateau."""
    budget_over_run: float = math.nan
    """The same over the life that was judged."""
    minimum_detectable_per_hour: float = math.nan
    """Growth from which on none would have been called flat in this run; NaN where any would."""
    minimum_detectable_per_connection: float | None = None
    """The same by connection."""
    probability_climbing: float = math.nan
    """Of growth beyond the budget that lasts; NaN where there was too little to judge. Where nothing is
    decided yet, it tells what the series leans to."""
    settling: Settling | None = None
    """What would settle it; only for inconclusive."""
    follows: Follows | None = None
    """What the growth is proportional to; None when indistinguishable or when there is no growth."""
    warm_up_end_s: float | None = None
    """Where the judged tail begins; None when no straight tail was found."""
    trend_line: Line | None = None
    """Ends of the fitted line after warm-up, for pictures."""
    restarts_at_s: tuple[float, ...] = ()
    """When each new life of the process began; only one life is judged."""
    at_rest: float | None = None
    """Lowest reading of the last quiet window; None where none was read."""
    duration_s: float = 0.0
    """From the first to the last reading of the series."""
    samples: int = 0
    """Readings that were not gaps."""
    basis: Basis = Basis.LOAD_ENVELOPE
    """Which readings were judged."""
    points: JudgedPoints | None = None
    """The floors that were judged; None when there were too few readings for any."""
    with_swap: bool = False
    """Whether swap was in use, so that it was added to resident memory."""

    @property
    def leaning(self) -> Label:
        """What is likelier, were one to decide now; inconclusive where there was too little to weigh."""
        return leaning(self.probability_climbing)

    @property
    def restarts(self) -> int:
        """How often the process started anew."""
        return len(self.restarts_at_s)

    @property
    def last_life_began_s(self) -> float:
        """When the last life of the process began, on the series' own clock; -inf without a restart."""
        return self.restarts_at_s[-1] if self.restarts_at_s else -math.inf

    @property
    def connections_judged(self) -> float | None:
        """Connections completed by the last judged point; None where they are not counted."""
        if self.points is None or self.points.connections is None:
            return None
        return float(self.points.connections[-1])

    @property
    def as_much_again(self) -> Settling:
        """What a run as long as this one comes to."""
        return Settling(self.duration_s, self.connections_judged)

    @property
    def least_gained(self) -> float:
        """Lower bound of what growth that lasts comes to over the run, at the confidence of the verdict."""
        return self.growth_per_hour.low * self.duration_s / 3600.0

    @property
    def surely_grows(self) -> bool:
        """Whether some growth lasts, at the confidence of the verdict, and likelier than not too much."""
        return self.growth_per_hour.low > 0 and self.leaning is Label.CLIMBING

    @property
    def growth(self) -> tuple[Estimate, Follows]:
        """The growth in the unit people quote it in, connections or time, and which of the two it is."""
        each = self.growth_per_connection
        if each is not None and math.isfinite(each.estimate) and self.follows is not Follows.TIME:
            return each, Follows.CONNECTIONS
        return self.growth_per_hour, Follows.TIME


def leaning(probability_climbing: float) -> Label:
    """Return what this probability makes likelier; inconclusive for NaN."""
    if math.isnan(probability_climbing):
        return Label.INCONCLUSIVE
    return Label.PLATEAU if probability_climbing < EVEN else Label.CLIMBING

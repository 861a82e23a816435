"""What the judge says: a label with its estimates, its evidence and its reasons."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from soak.advice.advise import Advice
    from soak.analyse.resources import ResourceVerdict
    from soak.verdict.attribution import Attribution


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
    """An estimate with its 95 % interval; all three are NaN when nothing could be estimated."""

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
    """The floors that were judged, one entry per rest window or envelope bin, oldest first."""

    t_s: NDArray[np.float64]
    """When, on the series' own clock."""
    rss_bytes: NDArray[np.float64]
    """The floor (RSS, plus swap where it was recorded), at the typical number of open connections."""
    connections: NDArray[np.float64] | None
    """Connections completed by then; None when the series has no counter."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """The judgement of one series. Bytes are bytes, times are seconds on the series' own clock."""

    verdict: Label
    """Plateau, climbing or inconclusive."""
    reasons: tuple[str, ...]
    """Why, in plain words with numbers and units, most important first."""
    metric: str
    """`rss_bytes`, or `rss_plus_swap_bytes` when something was swapped out."""
    start_bytes: int
    """First reading of the last life of the process; 0 when nothing was read."""
    plateau_bytes: int | None
    """Level after warm-up; only for a plateau."""
    peak_bytes: int
    """Highest single reading of the whole series."""
    plateau_at_s: float | None
    """When the plateau began; only for a plateau."""
    growth_bytes_per_hour: Estimate
    """Slope after warm-up, by time."""
    growth_bytes_per_connection: Estimate | None
    """Slope after warm-up, by connection; None without a connection counter that moves."""
    minimum_detectable_bytes_per_hour: float
    """Smallest growth this run would have told from none, four times out of five; NaN if unknown."""
    restarts: int
    """How often the process started anew; only the last life is judged."""
    advice: Advice
    """Limits and thread numbers that follow from what was measured (JSON-serialisable)."""
    attribution: Attribution | None = None
    """Where the growth sits; None where the run did not record it."""
    warm_up_end_s: float | None = None
    """Where the judged tail begins; None when no straight tail was found."""
    budget_bytes_per_hour: float = float("nan")
    """Growth below this is a plateau."""
    minimum_detectable_bytes_per_connection: float | None = None
    """The same limit, by connection."""
    growth_bytes_per_audio_s: Estimate | None = None
    """Slope after warm-up, by second of audio streamed; None where that was not recorded or never moves."""
    follows: Follows | None = None
    """What the growth is proportional to; None when indistinguishable or when there is no growth."""
    confidence: str = ""
    """How sure, in words."""
    probability_climbing: float = float("nan")
    """Of memory growing beyond the budget without end, all things weighed; NaN where there was too little to
    weigh. Where nothing is decided yet, it tells what the run leans to. Of a climb that is no leak because
    malloc keeps what grew, it is that of what malloc has handed out."""
    settling: Settling | None = None
    """What would settle it; only for inconclusive."""
    trend_line: tuple[tuple[float, float], tuple[float, float]] | None = None
    """Ends of the fitted line after warm-up, as (t_s, bytes), for pictures."""
    restarts_at_s: tuple[float, ...] = ()
    """When each new life began."""
    duration_s: float = 0.0
    """From the first to the last reading of the series."""
    samples: int = 0
    """Readings that were not gaps."""
    basis: Basis = Basis.LOAD_ENVELOPE
    """Which readings were judged."""
    points: JudgedPoints | None = None
    """The floors that were judged; None when there were too few readings for any."""
    resources: dict[str, ResourceVerdict] = field(default_factory=dict)
    """The verdicts of the other resources (descriptors, threads, …) by column, where they were recorded."""

    @property
    def leaning(self) -> Label:
        """What is likelier, were one to decide now; inconclusive where there was too little to weigh."""
        if math.isnan(self.probability_climbing):
            return Label.INCONCLUSIVE
        return Label.PLATEAU if self.probability_climbing < EVEN else Label.CLIMBING

    @property
    def last_life_began_s(self) -> float:
        """When the last life of the process began, on the series' own clock; -inf without a restart."""
        return self.restarts_at_s[-1] if self.restarts_at_s else -math.inf

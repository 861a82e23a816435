"""What a rule's answers are worth: counted, timed, and its intervals held against the truth. Pure."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from soak.verdict.verdict import Estimate

LOOK_SHARES = tuple(percent / 100 for percent in range(5, 101, 5))
"""Shares of a trace after which a rule is asked, in order; the last is the whole."""

BANDS = ((2.5, 5.0), (5.0, 10.0), (10.0, 20.0), (20.0, 60.0))
"""Signal-to-noise bands; each holds its lower end, the last its upper end too."""


@dataclass(frozen=True)
class Arrival:
    """When a rule first says the right thing for good."""

    share: float | None
    """Share of the trace; None if the rule is not right at the end."""
    connections: float | None
    """Connections completed by then; None when never right or not counted."""


@dataclass(frozen=True)
class Answer:
    """What one rule said of one trace."""

    rule: str
    """Name of the rule."""
    trace: str
    """Name of the trace."""
    family: str
    """The trace's family."""
    leaking: bool
    """The truth."""
    signal_to_noise: float | None
    """Of the leak; None for a healthy trace."""
    label: Label
    """What the rule says of the whole trace."""
    cpu_s: float
    """CPU seconds for the whole trace."""
    arrival: Arrival | None = None
    """None when time was not measured."""
    held: tuple[Held, ...] = ()
    """The intervals the rule stated beside a known truth; only soak states any."""

    @property
    def right(self) -> bool:
        """Whether the answer is the truth."""
        return self.label is right_label(leaking=self.leaking)

    @property
    def wrong(self) -> bool:
        """Whether the answer is decided, and not the truth."""
        return self.label is right_label(leaking=not self.leaking)


@dataclass(frozen=True)
class Held:
    """One stated 95 % interval and the truth."""

    unit: str
    """"hour", "connection" or "audio second"."""
    leaking: bool
    """Of the trace."""
    inside: bool
    """Whether the interval holds the truth."""


@dataclass(frozen=True)
class Score:
    """The answers of one rule, counted. A share is NaN when there was nothing to take it of."""

    traces: int
    """Traces judged."""
    right: int
    """Climbing for a leak, plateau for a healthy trace."""
    decided: int
    """Not inconclusive."""
    right_of_decided: float
    """Share of the decided ones that are right."""
    accuracy: float
    """Share of all that are right: inconclusive counts as not right."""
    precision: float
    """Share of those called climbing that leak."""
    recall: float
    """Share of the leaks called climbing."""
    f1: float
    """Harmonic mean of precision and recall."""
    false_alarms: float
    """Share of the healthy traces called climbing."""
    missed: float
    """Share of the leaks called plateau."""
    inconclusive: float
    """Share of all left undecided."""
    cpu_ms: float
    """Mean CPU milliseconds per trace."""


@dataclass(frozen=True)
class Timing:
    """When the right answer came, over many traces."""

    median_share: float
    """Median share of the trace; 1 where never right."""
    mean_share: float
    """Mean share, never right counted as 1."""
    median_connections: float
    """Median connections by then, of the traces that count them and were answered rightly; NaN if none."""
    ever_right: float
    """Share of the traces answered rightly in the end."""


@dataclass(frozen=True)
class Coverage:
    """How many of the stated intervals hold the truth."""

    stated: int
    """Intervals stated."""
    held: float
    """Share that hold the truth; NaN if none was stated."""


def right_label(*, leaking: bool) -> Label:
    """Give what should be said."""
    return Label.CLIMBING if leaking else Label.PLATEAU


def score(answers: Sequence[Answer]) -> Score:
    """Count the answers of one rule."""
    leaks = [a for a in answers if a.leaking]
    healthy = [a for a in answers if not a.leaking]
    alarms = _count(answers, Label.CLIMBING)
    caught = _count(leaks, Label.CLIMBING)
    decided = len(answers) - _count(answers, Label.INCONCLUSIVE)
    right = sum(a.right for a in answers)
    return Score(
        traces=len(answers),
        right=right,
        decided=decided,
        right_of_decided=_share(right, decided),
        accuracy=_share(right, len(answers)),
        precision=_share(caught, alarms),
        recall=_share(caught, len(leaks)),
        f1=_share(2 * caught, alarms + len(leaks)),
        false_alarms=_share(_count(healthy, Label.CLIMBING), len(healthy)),
        missed=_share(_count(leaks, Label.PLATEAU), len(leaks)),
        inconclusive=_share(len(answers) - decided, len(answers)),
        cpu_ms=1000.0 * math.fsum(a.cpu_s for a in answers) / len(answers) if answers else math.nan,
    )


def in_band(answers: Iterable[Answer], band: tuple[float, float]) -> list[Answer]:
    """Give the answers on leaks whose signal-to-noise lies in the band."""
    low, high = band
    last = band == BANDS[-1]
    return [
        a
        for a in answers
        if a.signal_to_noise is not None
        and (low <= a.signal_to_noise < high or (last and a.signal_to_noise == high))
    ]


def arrive(
    ask: Callable[[float], Label],
    *,
    leaking: bool,
    onset_share: float = 0.0,
    shares: Sequence[float] = LOOK_SHARES,
) -> float | None:
    """Give the first share from which every later look is answered rightly; None if the last is not.

    `ask` judges that share of the trace. Looks are asked for from the last backwards, and no further than the
    first that is not right. A leak that begins at `onset_share` is not there before: such looks are neither
    right nor wrong and are not asked for, so a rule that cried wolf early gains nothing by it.
    """
    right = right_label(leaking=leaking)
    first = None
    for share in reversed(shares):
        if share <= onset_share or ask(share) is not right:
            break
        first = share
    return first


def timing(answers: Sequence[Answer]) -> Timing:
    """Sum up when the right answers came; raises ValueError if a time was not measured."""
    arrivals = [a.arrival for a in answers]
    if any(arrival is None for arrival in arrivals):
        raise ValueError("time to the right answer was not measured for every trace")
    shares = [1.0 if x is None or x.share is None else x.share for x in arrivals]
    counted = [x.connections for x in arrivals if x is not None and x.connections is not None]
    return Timing(
        median_share=statistics.median(shares) if shares else math.nan,
        mean_share=statistics.fmean(shares) if shares else math.nan,
        median_connections=statistics.median(counted) if counted else math.nan,
        ever_right=_share(sum(x is not None and x.share is not None for x in arrivals), len(arrivals)),
    )


def hold(unit: str, interval: Estimate | None, truth: float | None, *, leaking: bool) -> tuple[Held, ...]:
    """Hold one interval against the truth: empty when either is unknown."""
    if interval is None or truth is None or not math.isfinite(truth):
        return ()
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return ()
    return (Held(unit, leaking, interval.low <= truth <= interval.high),)


def coverage(answers: Iterable[Answer], *, unit: str, leaking: bool) -> Coverage:
    """Count the stated intervals that hold the truth."""
    held = [h.inside for a in answers for h in a.held if h.unit == unit and h.leaking is leaking]
    return Coverage(len(held), _share(sum(held), len(held)))


def _count(answers: Iterable[Answer], label: Label) -> int:
    return sum(a.label is label for a in answers)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan

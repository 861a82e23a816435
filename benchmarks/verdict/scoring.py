"""What a rule's answers are worth: counted and timed. Pure."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmarks.verdict.answers import right_label
from benchmarks.verdict.probabilities import area_under_curve, log_loss
from benchmarks.verdict.rates import Rate
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks.verdict.answers import Answer

LOOK_SHARES = tuple(percent / 100 for percent in range(5, 101, 5))
"""Shares of a trace after which a rule is asked, in order; the last is the whole."""

BANDS = ((2.5, 5.0), (5.0, 10.0), (10.0, 20.0), (20.0, 60.0))
"""Signal-to-noise bands; each holds its lower end, the last its upper end too."""


@dataclass(frozen=True)
class Score:
    """The answers of one rule, counted. A number is NaN when there was nothing to take it of."""

    traces: int
    """Traces judged."""
    right: int
    """Climbing for a leak, plateau for a healthy trace."""
    right_of_decided: Rate
    """Of those that are not inconclusive."""
    false_alarms: Rate
    """Healthy traces called climbing."""
    missed: Rate
    """Leaks called plateau."""
    inconclusive: Rate
    """Of all."""
    inconclusive_leaks: Rate
    inconclusive_healthy: Rate
    area_under_curve: float
    """Of the probabilities; NaN where the rule states none."""
    log_loss: float
    """In nats; NaN where the rule states no probability."""
    contradicted: Rate
    """Answers that contradict themselves, of those that state numbers."""
    cpu_ms: float
    """Mean CPU milliseconds per trace."""

    @property
    def wrong(self) -> int:
        """Decided, and not the truth."""
        return self.right_of_decided.whole - self.right_of_decided.part


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


def score(answers: Sequence[Answer]) -> Score:
    """Count the answers of one rule."""
    leaks = [a for a in answers if a.leaking]
    healthy = [a for a in answers if not a.leaking]
    decided = [a for a in answers if a.label is not Label.INCONCLUSIVE]
    stated = [(a.probability, a.leaking) for a in answers if a.probability is not None]
    probabilities, truths = [p for p, _ in stated], [leaking for _, leaking in stated]
    return Score(
        traces=len(answers),
        right=sum(a.right for a in answers),
        right_of_decided=Rate.of(a.right for a in decided),
        false_alarms=_labelled(healthy, Label.CLIMBING),
        missed=_labelled(leaks, Label.PLATEAU),
        inconclusive=_labelled(answers, Label.INCONCLUSIVE),
        inconclusive_leaks=_labelled(leaks, Label.INCONCLUSIVE),
        inconclusive_healthy=_labelled(healthy, Label.INCONCLUSIVE),
        area_under_curve=area_under_curve(probabilities, truths),
        log_loss=log_loss(probabilities, truths),
        contradicted=Rate.of(bool(a.contradictions) for a in answers if a.contradictions is not None),
        cpu_ms=1000.0 * math.fsum(a.cpu_s for a in answers) / len(answers) if answers else math.nan,
    )


def of_halves(answers: Iterable[Answer]) -> list[Answer]:
    """Give what was said of first halves, where that is a fair question, as answers."""
    return [
        replace(a, label=a.half.label, probability=a.half.probability, held=(), contradictions=None)
        for a in answers
        if a.half is not None
    ]


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
        ever_right=Rate.of(x is not None and x.share is not None for x in arrivals).share,
    )


def _labelled(answers: Iterable[Answer], label: Label) -> Rate:
    return Rate.of(a.label is label for a in answers)

"""What the points show: warm-up, growth that lasts, its pace with an interval, and the unit it follows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.floors.points import moves
from soak.analyse.posterior.models import explain
from soak.analyse.posterior.moments import slope
from soak.analyse.posterior.noise import default_noise_grid
from soak.analyse.posterior.seasons import seasonal_columns
from soak.verdict.verdict import Estimate, Follows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse.floors.points import Points
    from soak.analyse.posterior.models import Explanation
    from soak.analyse.posterior.shapes import Kind, Shape
    from soak.analyse.settings import JudgeSettings

    Floats = NDArray[np.float64]

GRID = default_noise_grid()
EVIDENCE_TO_TELL = 3.0
"""Difference of log evidence from which one unit is said to explain the growth better (odds of 20 to 1)."""
POWER_FACTOR = 1.43
"""(1.96 + 0.84) / 1.96: a growth this many half-widths large is seen four times out of five."""
PROPORTIONAL = 0.9999
"""Correlation with time from which a counter is only another clock."""
MISFIT_SHARE = 0.003
"""Share of all the memory moved by which a true course may miss the nearest model."""
MISFIT_BUDGETS = 0.2
"""Budgets it may miss it by, at most: what is decided on is not blurred."""
TAKEN_FOR_ENDING = 2.0
"""How many times its upper half is added to an interval for a sure leak; measured on tuning traces, where
95 % of the intervals of leaks then hold the truth, instead of 86."""
SETTLED_SHARE = 0.95
"""Share of their gain that ending shapes have made when warm-up is called over."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """The measured facts a verdict is made of. Slopes are per second, per connection, per second of audio."""

    first: int
    """Index of the first point after warm-up."""
    point_count: int
    """Points in all, those of the warm-up included."""
    waits_for_rests: bool
    """Whether the points are of load, only because there were too few rest windows yet."""
    lasting: float
    """Probability that growth above the budget goes on, by the models alone."""
    tail_s: float
    """Length of what came after warm-up."""
    level_bytes: float
    """Typical memory over the later half of the points."""
    end_level_bytes: float
    """Median of the last third: where memory is now, also after a step down."""
    per_second: Estimate
    at_most_per_second: float
    """Upper bound of the growth, one-sided: a larger one is excluded with `interval_confidence`."""
    at_least_per_second: float
    """Lower bound of the growth, one-sided."""
    per_connection: Estimate | None
    per_audio_s: Estimate | None
    follows: Follows | None
    ending: tuple[tuple[Shape, float], ...]
    """Shapes of growth that ends, with their gains in bytes: of the best model with a leak where that is
    likelier than not, else of the best without."""
    warm_up_pace_bytes: float
    """What the ending shapes of the best model without a leak would still add over another run."""
    warm_up_gain_bytes: float
    """What those added."""
    beside_pace_bytes: float
    """What the ending shapes beside growth that lasts would still add over another run, if there is such."""
    lasting_shape: Kind
    """The shape of growth that goes on which is believed most, if there is such growth."""
    swings: Floats
    """Sines and cosines taken out, (points, 2 for each): memory swings with a period."""
    tail_span: float
    """Length of the tail in workload."""
    warm_up_span: float
    """Length of the warm-up in workload."""
    kept_pace: float
    """Slope of the later half after warm-up as a share of the earlier half's; NaN for no rise."""
    run_s: float
    """From the first to the last point."""

    @property
    def vague(self) -> bool:
        """Tell whether the interval of the growth is wider than the growth is large."""
        return self.per_second.high - self.per_second.low > abs(self.per_second.estimate)

    def doubts(self, little_warming: float) -> int:
        """Count what there is to be said against this growth: 0 is a pace well measured, 3 may be none."""
        if self.at_least_per_second <= 0:
            return 3
        if self.per_second.low <= 0:
            return 2
        return int(self.vague or self.still_warms(little_warming))

    def believed(self, belief: float) -> Evidence:
        """Return this evidence with intervals that are wider upward, the more so the surer a leak is.

        Shapes that end take a part of growth that goes on for theirs, so that models put it too low.
        """
        factor = 1.0 + TAKEN_FOR_ENDING * belief
        slope = self.per_second
        return replace(
            self,
            per_second=_wider(slope, factor),
            at_most_per_second=slope.estimate + factor * (self.at_most_per_second - slope.estimate),
            per_connection=None if self.per_connection is None else _wider(self.per_connection, factor),
            per_audio_s=None if self.per_audio_s is None else _wider(self.per_audio_s, factor),
        )

    def still_warms(self, share: float) -> bool:
        """Tell whether a warm-up beside growth that lasts still adds more than this share of it."""
        return self.beside_pace_bytes > share * self.per_second.estimate * self.run_s


def detectable(growth: Estimate) -> float:
    """Return the smallest growth that would have been told from none, four times out of five."""
    return POWER_FACTOR * 0.5 * (growth.high - growth.low)


def _wider(slope: Estimate, factor: float) -> Estimate:
    return replace(slope, high=slope.estimate + factor * (slope.high - slope.estimate))


@dataclass(frozen=True, eq=False)
class _Axis:
    """What growth may be proportional to."""

    follows: Follows
    work: Floats
    explanation: Explanation


def gather(
    points: Points, settings: JudgeSettings, budget_bytes: float, whole: Points | None = None
) -> Evidence:
    """Explain the points; `budget_bytes` is accepted over them. Needs at least `settings.min_points`.

    `whole` are the points of the whole life when these are only its last ones: what was left out then counts
    as warm-up.
    """
    cut, whole = whole is not None, whole or points
    t_s, memory = points.t_s, points.memory_bytes
    load = _standardised(points.open_connections, t_s.size)
    share = _share(t_s)
    swings = seasonal_columns(t_s, share, memory, load)
    nuisance = np.column_stack([load, swings])
    noise_floor = _noise_floor(memory, settings, budget_bytes)
    axes = [
        _Axis(
            follows,
            work,
            explain(
                t_s,
                _share(work),
                memory,
                nuisance,
                grid=GRID,
                noise_floor=noise_floor,
                budget=budget_bytes,
                prior_lasting=settings.prior_lasting,
            ),
        )
        for follows, work in _workloads(points)
    ]
    best = max(axes, key=lambda axis: axis.explanation.log_evidence)
    explanation = best.explanation
    run_s = points.length_s
    pace = Estimate(*(explanation.belief.quantile(p) for p in _levels(settings.interval_confidence)))
    ending = explanation.beside if explanation.lasting > 0.5 else explanation.ending
    settled = _settled_share(ending, budget_bytes)
    first = min(int(np.searchsorted(_share(best.work), settled)), t_s.size - 2)
    work = t_s if points.connections is None else points.connections
    begin = 0.0 if points.connections is not None else float(whole.t_s[0])
    return Evidence(
        first=first,
        point_count=whole.t_s.size,
        waits_for_rests=whole.waits_for_rests,
        lasting=explanation.lasting,
        tail_s=float(t_s[-1] - t_s[first]),
        level_bytes=points.level_bytes,
        end_level_bytes=float(np.median(memory[-max(2, memory.size // 3) :])),
        per_second=pace.scaled(1.0 / run_s),
        at_most_per_second=explanation.belief.quantile(settings.interval_confidence) / run_s,
        at_least_per_second=explanation.belief.quantile(1.0 - settings.interval_confidence) / run_s,
        per_connection=_per(pace, points.connections),
        per_audio_s=_per(pace, points.audio_s),
        follows=_told(axes, best),
        ending=ending,
        warm_up_pace_bytes=_end_pace(explanation.ending),
        warm_up_gain_bytes=sum(gain for _, gain in explanation.ending),
        beside_pace_bytes=_end_pace(explanation.beside),
        lasting_shape=explanation.likeliest_lasting,
        swings=swings,
        tail_span=float(work[-1] - work[first]),
        warm_up_span=max(float(work[first]) - begin, 0.0) if settled > 0 or cut else 0.0,
        kept_pace=_kept_pace(best.work[first:], memory[first:]),
        run_s=run_s,
    )


def _noise_floor(memory: Floats, settings: JudgeSettings, budget_bytes: float) -> float:
    """Return the least deviation from a model that counts: rounding to pages, and what no model gets right.

    Real growth is no exponential to the last byte. Where readings are much quieter than that, a chase after
    the last byte would let a crowd of shapes win over a plain one.
    """
    rounding = settings.page_bytes / float(np.sqrt(12.0))
    return max(rounding, min(MISFIT_SHARE * float(np.ptp(memory)), MISFIT_BUDGETS * budget_bytes))


def _kept_pace(work: Floats, memory: Floats) -> float:
    half = memory.size // 2
    if half < 2:
        return float("nan")
    early, late = (slope(work[part], memory[part]) for part in (slice(None, half), slice(half, None)))
    return float(late / early) if early > 0 else float("nan")


def _workloads(points: Points) -> list[tuple[Follows, Floats]]:
    """Return time and the counters that are more than another clock."""
    chosen = [(Follows.TIME, points.t_s)]
    for follows, counter in ((Follows.CONNECTIONS, points.connections), (Follows.AUDIO, points.audio_s)):
        if not moves(counter):
            continue
        if all(np.corrcoef(counter, other)[0, 1] < PROPORTIONAL for _, other in chosen):
            chosen.append((follows, counter))
    return chosen


def _told(axes: list[_Axis], best: _Axis) -> Follows | None:
    """Return the unit that explains the growth best, where the run can tell; None where it cannot."""
    others = [axis.explanation.log_evidence for axis in axes if axis is not best]
    if not others or best.explanation.log_evidence - max(others) < EVIDENCE_TO_TELL:
        return None
    return best.follows


def _end_pace(ending: tuple[tuple[Shape, float], ...]) -> float:
    """Return what ending shapes would still add over another run at the pace they end with, in bytes."""
    return sum(gain * shape.end_pace() for shape, gain in ending)


def _settled_share(ending: tuple[tuple[Shape, float], ...], budget_bytes: float) -> float:
    """Return the share of the run at which the ending shapes had all but ended; 0 where there are none."""
    total = sum(abs(gain) for _, gain in ending)
    if total <= budget_bytes:
        return 0.0
    shares = np.linspace(0.0, 1.0, 201)
    left = np.zeros(shares.size)
    for shape, gain in ending:
        left += abs(gain) * (1.0 - shape.gained_by(shares))
    return float(shares[int(np.argmax(left <= max((1.0 - SETTLED_SHARE) * total, 0.5 * budget_bytes)))])


def _share(work: Floats) -> Floats:
    # means of a counter that stands still differ by their rounding, so that one may lie before the first
    return np.asarray(np.clip((work - work[0]) / float(work[-1] - work[0]), 0.0, 1.0))


def _standardised(column: Floats | None, points: int) -> Floats:
    if column is None or np.ptp(column) <= 0:
        return np.zeros((points, 0))
    return np.asarray((column - column.mean()) / np.std(column))[:, None]


def _levels(confidence: float) -> tuple[float, float, float]:
    tail = 0.5 * (1.0 - confidence)
    return 0.5, tail, 1.0 - tail


def _per(pace: Estimate, counter: Floats | None) -> Estimate | None:
    if not moves(counter):
        return None
    return pace.scaled(1.0 / float(counter[-1] - counter[0]))

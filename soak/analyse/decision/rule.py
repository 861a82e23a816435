"""The three-way rule: from the evidence and the budget to a label, its cause, and what would settle it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.budget import budget_per_second
from soak.analyse.posterior.gates import settled, weighs_as_flat, weighs_as_leak
from soak.verdict.reason import ReasonKind
from soak.verdict.verdict import Label, Settling

if TYPE_CHECKING:
    from soak.analyse.floors.points import Points
    from soak.analyse.floors.run import Run
    from soak.analyse.posterior import Evidence, Posterior
    from soak.analyse.settings import JudgeSettings

LONGEST_FORECAST = 64.0
"""Runs this many times longer than the present one are not forecast."""


@dataclass(frozen=True)
class Decision:
    """A label, why, and what would settle it if it is inconclusive."""

    label: Label
    cause: ReasonKind
    settling: Settling | None = None
    belief: float = float("nan")
    """Probability of growth beyond the budget that goes on; NaN where nothing was weighed."""


def check_minimum(points: Points, run: Run, settings: JudgeSettings) -> Decision | None:
    """Return an inconclusive decision when there is too little to judge at all."""
    if points.t_s.size == 0:
        return Decision(Label.INCONCLUSIVE, ReasonKind.NOTHING_READ)
    if run.duration_s < settings.min_duration_s:
        missing = settings.min_duration_s - run.duration_s
        return Decision(Label.INCONCLUSIVE, ReasonKind.TOO_SHORT, Settling(missing, None))
    if points.t_s.size < settings.min_points:
        share = settings.min_points / points.t_s.size - 1.0
        return Decision(Label.INCONCLUSIVE, ReasonKind.TOO_FEW_POINTS, run.more(share))
    if run.connections is not None and run.connections < settings.min_connections:
        share = settings.min_connections / max(run.connections, 1.0) - 1.0
        return Decision(Label.INCONCLUSIVE, ReasonKind.TOO_FEW_CONNECTIONS, run.more(share))
    return None


def decide(posterior: Posterior, run: Run, settings: JudgeSettings) -> Decision:
    """Apply the rule: growth beyond the budget that lasts, none for certain, or neither yet."""
    evidence, belief = posterior.evidence, posterior.probability
    budget = budget_per_second(evidence.level_bytes, run.duration_s, settings)
    return replace(_rule(evidence, belief, budget, run, settings), belief=belief)


def _rule(evidence: Evidence, belief: float, budget: float, run: Run, settings: JudgeSettings) -> Decision:
    undecided = Decision(Label.INCONCLUSIVE, ReasonKind.UNDECIDED, forecast(evidence, budget, run, settings))
    if weighs_as_leak(belief, settings):
        shown = max(belief, evidence.lasting) >= settings.climbing_confidence
        growing = shown and evidence.at_least_per_second > 0
        return _growing(evidence, belief, run, settings) if growing else undecided
    given = settings.max_growth_bytes_per_hour is not None
    if not weighs_as_flat(belief, settings):
        return undecided
    doubted = min(belief, evidence.lasting) > 1.0 - settings.plateau_confidence
    if doubted or (given and evidence.at_most_per_second > budget):
        return undecided
    if belief > 1.0 - settings.beyond_doubt and not settled(evidence, budget, settings):
        return Decision(Label.INCONCLUSIVE, ReasonKind.SLOWING, run.more(1.0))
    return Decision(Label.PLATEAU, ReasonKind.WITHIN_BUDGET)


def _growing(evidence: Evidence, belief: float, run: Run, settings: JudgeSettings) -> Decision:
    """Decide on growth that goes on so far."""
    if belief < settings.beyond_doubt and evidence.still_warms(settings.most_warming):
        return Decision(Label.INCONCLUSIVE, ReasonKind.SLOWING, run.more(1.0))
    if not _seasoned(run, settings):
        young = _slow_tail(evidence, run, settings) or _few_points(evidence, belief, run, settings)
        if young is not None:
            return young
    return Decision(Label.CLIMBING, ReasonKind.PERSISTS)


def _slow_tail(evidence: Evidence, run: Run, settings: JudgeSettings) -> Decision | None:
    """Return that growth is small and young, if it is: healthy servers have shown such that then ended."""
    growth_bytes = evidence.per_second.estimate * evidence.run_s
    small = growth_bytes < settings.benign_tail_share * evidence.level_bytes
    missing = settings.slow_tail_span * evidence.warm_up_span - evidence.tail_span
    slower = evidence.warm_up_span > 0 and not evidence.kept_pace >= settings.slow_tail_pace
    if not small or not (missing > 0 or slower):
        return None
    share = max(missing / (evidence.tail_span + evidence.warm_up_span), 0.5)
    return Decision(Label.INCONCLUSIVE, ReasonKind.SLOW_TAIL, run.more(share))


def _few_points(evidence: Evidence, belief: float, run: Run, settings: JudgeSettings) -> Decision | None:
    """Return that growth was seen too seldom to tell it from a warm-up, if it was."""
    points = evidence.point_count
    if evidence.waits_for_rests:
        return Decision(Label.INCONCLUSIVE, ReasonKind.FEW_RESTS, run.more(1.0))
    if points < settings.min_climbing_points:
        return Decision(
            Label.INCONCLUSIVE, ReasonKind.YOUNG, run.more(settings.min_climbing_points / points - 1.0)
        )
    doubted = belief < settings.beyond_doubt and not evidence.kept_pace >= settings.few_points_pace
    if points < settings.few_points and doubted:
        return Decision(Label.INCONCLUSIVE, ReasonKind.YOUNG, run.more(settings.few_points / points))
    return None


def _seasoned(run: Run, settings: JudgeSettings) -> bool:
    """Tell whether the run is so long that its growth is no slow end of a warm-up."""
    if settings.still_running:
        return False
    if run.connections is None:
        return run.duration_s >= settings.seasoned_s
    return run.connections >= settings.seasoned_connections


def forecast(evidence: Evidence, budget: float, run: Run, settings: JudgeSettings) -> Settling | None:
    """Return how much longer a run settles it if slope and noise stay; None when no run in sight does.

    The interval of a slope narrows with the 3/2 power of the run's length; a relative budget, in bytes per
    second, shrinks as the run grows.
    """
    slope = evidence.per_second
    for share in np.geomspace(0.1, LONGEST_FORECAST, 40):
        narrowing = (1.0 + share) ** -1.5
        above = (evidence.at_most_per_second - slope.estimate) * narrowing
        below = (slope.estimate - slope.low) * narrowing
        then = budget if settings.max_growth_bytes_per_hour is not None else budget / (1.0 + share)
        if max(slope.estimate, 0.0) + above < then or slope.estimate - below > then:
            return run.more(float(share))
    return None

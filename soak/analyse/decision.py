"""The three-way rule: from the evidence and the budget to a label, its cause, and what would settle it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.verdict import Label, Settling

if TYPE_CHECKING:
    from soak.analyse.evidence import Evidence
    from soak.analyse.points import Points
    from soak.analyse.settings import JudgeSettings

LONGEST_FORECAST = 64.0
"""Runs this many times longer than the present one are not forecast."""


class Cause(StrEnum):
    """The one thing a verdict rests on."""

    NOTHING_READ = "nothing was read"
    TOO_SHORT = "the run is too short"
    TOO_FEW_POINTS = "too few points"
    TOO_FEW_CONNECTIONS = "too few connections"
    WITHIN_BUDGET = "growth is below the budget"
    PERSISTS = "growth persists"
    SLOWING = "growth is still slowing down"
    YOUNG = "growth was seen at few points"
    FEW_RESTS = "the server has rested too seldom"
    UNDECIDED = "neither is shown"


@dataclass(frozen=True)
class Decision:
    """A label, why, and what would settle it if it is inconclusive."""

    label: Label
    cause: Cause
    settling: Settling | None = None
    belief: float = float("nan")
    """Probability of growth beyond the budget that goes on; NaN where nothing was weighed."""


@dataclass(frozen=True)
class Run:
    """How long the judged life was, and how fast it went."""

    duration_s: float
    connections: float | None
    """Completed during this life; None where they are not counted."""

    def more(self, share: float) -> Settling:
        """Return what `share` of this run again comes to."""
        connections = None if self.connections is None else share * self.connections
        return Settling(more_seconds=share * self.duration_s, more_connections=connections)


def budget_bytes_per_second(level_bytes: float, duration_s: float, settings: JudgeSettings) -> float:
    """Return the growth below which memory is flat: the given budget, else the relative one over the run."""
    if settings.max_growth_bytes_per_hour is not None:
        return settings.max_growth_bytes_per_hour / 3600.0
    allowed = max(settings.relative_budget * level_bytes, settings.min_relative_budget_bytes)
    return allowed / max(duration_s, 1.0)


def check_minimum(points: Points, run: Run, settings: JudgeSettings) -> Decision | None:
    """Return an inconclusive decision when there is too little to judge at all."""
    if points.t_s.size == 0:
        return Decision(Label.INCONCLUSIVE, Cause.NOTHING_READ)
    if run.duration_s < settings.min_duration_s:
        missing = settings.min_duration_s - run.duration_s
        return Decision(Label.INCONCLUSIVE, Cause.TOO_SHORT, Settling(missing, None))
    if points.t_s.size < settings.min_points:
        share = settings.min_points / points.t_s.size - 1.0
        return Decision(Label.INCONCLUSIVE, Cause.TOO_FEW_POINTS, run.more(share))
    if run.connections is not None and run.connections < settings.min_connections:
        share = settings.min_connections / max(run.connections, 1.0) - 1.0
        return Decision(Label.INCONCLUSIVE, Cause.TOO_FEW_CONNECTIONS, run.more(share))
    return None


def decide(evidence: Evidence, belief: float, run: Run, settings: JudgeSettings) -> Decision:
    """Apply the rule: growth beyond the budget that lasts, none for certain, or neither yet.

    `belief` is the probability of such growth, all things weighed.
    """
    budget = budget_bytes_per_second(evidence.level_bytes, run.duration_s, settings)
    return replace(_rule(evidence, belief, budget, run, settings), belief=belief)


def _rule(evidence: Evidence, belief: float, budget: float, run: Run, settings: JudgeSettings) -> Decision:
    undecided = Decision(Label.INCONCLUSIVE, Cause.UNDECIDED, forecast(evidence, budget, run, settings))
    if belief >= settings.climbing_confidence:
        return _growing(evidence, belief, run, settings) if evidence.at_least_per_second > 0 else undecided
    given = settings.max_growth_bytes_per_hour is not None
    if belief > 1.0 - settings.plateau_confidence or (given and evidence.at_most_per_second > budget):
        return undecided
    if not settled(evidence, budget, settings):
        return Decision(Label.INCONCLUSIVE, Cause.SLOWING, run.more(1.0))
    return Decision(Label.PLATEAU, Cause.WITHIN_BUDGET)


def settled(evidence: Evidence, budget_bytes_per_s: float, settings: JudgeSettings) -> bool:
    """Tell whether what the evidence takes for a warm-up is over."""
    still_adds = max(
        settings.settled_pace_share * evidence.warm_up_gain_bytes,
        settings.settled_pace_budgets * budget_bytes_per_s * evidence.run_s,
    )
    return evidence.warm_up_pace_bytes <= still_adds


def _growing(evidence: Evidence, belief: float, run: Run, settings: JudgeSettings) -> Decision:
    """Decide on growth that goes on so far: healthy servers have shown such growth early on."""
    if evidence.still_warms(settings.most_warming):
        return Decision(Label.INCONCLUSIVE, Cause.SLOWING, run.more(1.0))
    points = evidence.point_count
    if not _seasoned(run, settings):
        if evidence.waits_for_rests:
            return Decision(Label.INCONCLUSIVE, Cause.FEW_RESTS, run.more(1.0))
        if points < settings.min_climbing_points:
            return Decision(
                Label.INCONCLUSIVE, Cause.YOUNG, run.more(settings.min_climbing_points / points - 1.0)
            )
        doubted = (
            belief < settings.few_points_confidence and not evidence.kept_pace >= settings.few_points_pace
        )
        if points < settings.few_points and doubted:
            return Decision(Label.INCONCLUSIVE, Cause.YOUNG, run.more(settings.few_points / points))
    return Decision(Label.CLIMBING, Cause.PERSISTS)


def _seasoned(run: Run, settings: JudgeSettings) -> bool:
    """Tell whether the run is so long that few points are no sign of youth."""
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

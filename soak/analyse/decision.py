"""The three-way rule: from the evidence and the budget to a label, its cause, and what would settle it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.verdict import Label, Settling

if TYPE_CHECKING:
    from soak.analyse.evidence import Evidence
    from soak.analyse.points import Points
    from soak.analyse.settings import JudgeSettings

VERY_SURE = 0.9
"""Belief in growth from which its one-sided bound must be above none; below it the two-sided one."""
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
    SLOW_TAIL = "growth is small and young"
    YOUNG = "growth was seen at few points"
    UNDECIDED = "neither is shown"


@dataclass(frozen=True)
class Decision:
    """A label, why, and what would settle it if it is inconclusive."""

    label: Label
    cause: Cause
    settling: Settling | None = None


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


def decide(evidence: Evidence, run: Run, settings: JudgeSettings) -> Decision:
    """Apply the rule: growth beyond the budget that lasts, none for certain, or neither yet."""
    budget = budget_bytes_per_second(evidence.level_bytes, run.duration_s, settings)
    least = evidence.at_least_per_second if evidence.lasting >= VERY_SURE else evidence.per_second.low
    if evidence.lasting >= settings.climbing_confidence and least > 0:
        return _growing(evidence, run, settings)
    given = settings.max_growth_bytes_per_hour is not None
    above = evidence.at_least_per_second > budget or (given and evidence.at_most_per_second > budget)
    if evidence.lasting > 1.0 - settings.plateau_confidence or above:
        return Decision(Label.INCONCLUSIVE, Cause.UNDECIDED, forecast(evidence, budget, run, settings))
    still_adds = evidence.warm_up_pace_bytes
    settled = max(
        settings.settled_pace_share * evidence.warm_up_gain_bytes,
        settings.settled_pace_budgets * budget * evidence.run_s,
    )
    if still_adds > settled:
        return Decision(Label.INCONCLUSIVE, Cause.SLOWING, run.more(1.0))
    return Decision(Label.PLATEAU, Cause.WITHIN_BUDGET)


def _growing(evidence: Evidence, run: Run, settings: JudgeSettings) -> Decision:
    """Decide on growth that surely goes on so far: healthy servers have shown small ones that then ended."""
    growth_bytes = evidence.per_second.estimate * evidence.run_s
    if evidence.still_warms(settings.most_warming):
        return Decision(Label.INCONCLUSIVE, Cause.SLOWING, run.more(1.0))
    small = growth_bytes < settings.benign_tail_share * evidence.level_bytes
    missing = settings.slow_tail_span * evidence.warm_up_span - evidence.tail_span
    slower = evidence.warm_up_span > 0 and not evidence.kept_pace >= settings.slow_tail_pace
    if small and (missing > 0 or slower):
        share = max(missing / (evidence.tail_span + evidence.warm_up_span), 0.5)
        return Decision(Label.INCONCLUSIVE, Cause.SLOW_TAIL, run.more(share))
    if evidence.point_count < settings.min_climbing_points:
        share = settings.min_climbing_points / evidence.point_count - 1.0
        return Decision(Label.INCONCLUSIVE, Cause.YOUNG, run.more(share))
    if evidence.point_count < settings.few_points and not evidence.kept_pace >= settings.few_points_pace:
        return Decision(Label.INCONCLUSIVE, Cause.YOUNG, run.more(settings.few_points / evidence.point_count))
    return Decision(Label.CLIMBING, Cause.PERSISTS)


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

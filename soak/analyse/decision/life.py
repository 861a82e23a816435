"""Judging one life of a process: its floors, what is believed of their growth, then the rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from soak.analyse.budget import budget_per_second
from soak.analyse.decision.forecast import forecast
from soak.analyse.decision.rule import LEAST_READINGS, Decision, decide
from soak.analyse.floors.points import Points, points_of
from soak.analyse.floors.rounding import grain_of
from soak.analyse.floors.run import Run, run_of
from soak.analyse.posterior import posterior_of
from soak.verdict.reason import ReasonKind
from soak.verdict.verdict import Label, Settling

if TYPE_CHECKING:
    from soak.analyse.floors.lives import Readings
    from soak.analyse.posterior import Growth
    from soak.analyse.settings import JudgeSettings


@dataclass(frozen=True, eq=False)
class Judged:
    """One life of the process, judged."""

    life: Readings
    points: Points
    run: Run
    growth: Growth | None
    """None where there was too little to judge."""
    grain: float
    """What readings are rounded to, in their unit."""
    budget: float
    """Accepted growth over the points, in the unit of the series; NaN without two points."""
    decision: Decision


def judge_life(life: Readings, settings: JudgeSettings) -> Judged:
    """Judge one life of a process."""
    run, points = run_of(life), points_of(life)
    budget = float("nan")
    if run.duration_s > 0:
        budget = budget_per_second(points.level, run.duration_s, settings) * points.length_s
    grain = grain_of(life.memory_bytes, settings.grain_bytes)
    if points.readings < LEAST_READINGS:
        cause = ReasonKind.TOO_FEW_POINTS if points.readings else ReasonKind.NOTHING_READ
        decision = Decision(Label.INCONCLUSIVE, cause, _more(run, points))
        return Judged(life, points, run, None, grain, budget, decision)
    growth = posterior_of(points, grain, in_steps=settings.in_steps)
    decision = decide(growth, budget, grain, settings.confidence)
    if decision.label is Label.INCONCLUSIVE:
        decision = replace(
            decision, settling=forecast(decision.belief, points.readings, run, settings.confidence)
        )
    return Judged(life, points, run, growth, grain, budget, decision)


def _more(run: Run, points: Points) -> Settling | None:
    """Return what the readings that are missing take at the pace of the ones there are."""
    if points.readings < 2:
        return None
    return run.more(LEAST_READINGS / points.readings - 1.0)

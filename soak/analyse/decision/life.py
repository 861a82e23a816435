"""Judging one life of a process: its floors, what is believed of their growth, then the rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.analyse.budget import budget_per_second
from soak.analyse.decision.rule import Decision, check_minimum, decide
from soak.analyse.floors.points import Points, floors
from soak.analyse.floors.run import Run, run_of
from soak.analyse.posterior import posterior_of

if TYPE_CHECKING:
    from soak.analyse.floors.lives import Readings
    from soak.analyse.posterior import Posterior
    from soak.analyse.posterior.weighing import Weights
    from soak.analyse.settings import JudgeSettings


@dataclass(frozen=True, eq=False)
class Judged:
    """One life of the process, judged."""

    life: Readings
    points: Points
    """Those that the growth is told of: of all the life, or of a last part that says more."""
    run: Run
    posterior: Posterior | None
    """None where there was too little to judge."""
    decision: Decision


def judge_life(life: Readings, settings: JudgeSettings, weights: Weights, *, restarted: bool) -> Judged:
    """Judge one life of a process that was, or was not, restarted."""
    run, points = run_of(life), floors(life, settings)
    decision = check_minimum(points, run, settings)
    if decision is not None:
        return Judged(life, points, run, None, decision)
    budget_per_s = budget_per_second(points.level_bytes, run.duration_s, settings)
    posterior = posterior_of(points, budget_per_s, settings, restarted=restarted, weights=weights)
    return Judged(life, posterior.points, run, posterior, decide(posterior, run, settings))

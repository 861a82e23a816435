"""The judge of one series: lives, floors, evidence, weighing, decision, reasons: each a part of its own."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.budget import budget_per_second
from soak.analyse.decision.life import judge_life
from soak.analyse.decision.reasons import Facts, reasons_of
from soak.analyse.floors.lives import read, split_lives
from soak.analyse.floors.run import run_of
from soak.analyse.posterior import detectable
from soak.analyse.posterior.weights import WEIGHTS
from soak.analyse.settings import JudgeSettings
from soak.verdict.verdict import UNKNOWN, JudgedPoints, Label, SeriesVerdict

if TYPE_CHECKING:
    from soak.analyse.decision.life import Judged
    from soak.analyse.floors.lives import Readings
    from soak.analyse.floors.points import Points
    from soak.analyse.floors.run import Run
    from soak.analyse.posterior import Evidence
    from soak.analyse.posterior.weighing import Weights
    from soak.analyse.series import Series
    from soak.verdict.verdict import Line

A_COUNT = 1.0
"""What a count is rounded to; memory is counted in pages."""


def judge_series(
    series: Series,
    settings: JudgeSettings | None = None,
    *,
    budget_over_run: float | None = None,
    weights: Weights = WEIGHTS,
) -> SeriesVerdict:
    """Decide whether the quantity in `series` plateaus or climbs; too little data is inconclusive.

    Of a process that was restarted the last life is judged; an earlier one speaks for it where it was much
    longer. `budget_over_run` is the growth from the first to the last reading that is accepted, in the
    quantity's unit, instead of the settings' budget; a count needs one. `weights` are given to measure others
    than those in use. Never raises for a valid `Series`.
    """
    readings = read(series)
    duration_s = float(readings.t_s[-1] - readings.t_s[0]) if readings.t_s.size else 0.0
    settings = _settings_for(series, settings or JudgeSettings(), budget_over_run, duration_s)
    lives = split_lives(readings, settings)
    judged = judge_lives(lives, settings, weights)
    posterior, points, run = judged.posterior, judged.points, judged.run
    evidence = None if posterior is None else posterior.evidence
    budget_per_s = _budget(evidence, points, run, settings)
    lowest = series.quantity.unit.lowest_level
    facts = Facts(
        quantity=series.quantity,
        decision=judged.decision,
        evidence=evidence,
        points=points,
        run=run,
        start=_first(judged.life, lowest),
        end=_last(readings, lowest),
        peak=float(readings.memory_bytes.max()) - lowest if readings.memory_bytes.size else 0.0,
        duration_s=duration_s,
        budget_per_s=budget_per_s,
        budget_over_run=budget_per_s * run.duration_s if budget_over_run is None else budget_over_run,
        budget_is_relative=settings.max_growth_bytes_per_hour is None,
        restarts=len(lives) - 1,
        last_life=judged.life is lives[-1],
        detectable_per_s=math.nan if evidence is None else detectable(evidence.per_second),
        settings=settings,
        weighed={} if posterior is None else posterior.weighed,
    )
    return _verdict(facts, readings, lives)


def _settings_for(
    series: Series, settings: JudgeSettings, budget_over_run: float | None, duration_s: float
) -> JudgeSettings:
    """Return the settings with what the quantity's unit asks for, and with the budget of its own."""
    if not series.quantity.unit.tells_restarts:
        settings = replace(settings, page_bytes=A_COUNT, max_restarts=0)
    if budget_over_run is None:
        return settings
    return replace(settings, max_growth_bytes_per_hour=budget_over_run * 3600.0 / max(duration_s, 1.0))


def judge_lives(lives: list[Readings], settings: JudgeSettings, weights: Weights = WEIGHTS) -> Judged:
    """Judge the last life; where another was much longer, and can be decided, that one speaks."""
    restarted = len(lives) > 1
    chosen = life_to_judge(lives, settings)
    judged = judge_life(chosen, settings, weights, restarted=restarted)
    if chosen is lives[-1] or judged.decision.label is not Label.INCONCLUSIVE:
        return judged
    return judge_life(lives[-1], settings, weights, restarted=restarted)


def life_to_judge(lives: list[Readings], settings: JudgeSettings) -> Readings:
    """Return the last life, or the longest where the last is much shorter."""
    longest = max(lives, key=lambda life: run_of(life).duration_s)
    if run_of(lives[-1]).duration_s < settings.short_life_share * run_of(longest).duration_s:
        return longest
    return lives[-1]


def _verdict(facts: Facts, readings: Readings, lives: list[Readings]) -> SeriesVerdict:
    evidence, points, decision = facts.evidence, facts.points, facts.decision
    plateau, lowest = decision.label is Label.PLATEAU, facts.quantity.unit.lowest_level
    per_connection = None if evidence is None else evidence.per_connection
    tail_from = None if evidence is None else float(points.t_s[evidence.first])
    return SeriesVerdict(
        quantity=facts.quantity,
        label=decision.label,
        reasons=reasons_of(facts),
        start=facts.start,
        end=facts.end,
        peak=facts.peak,
        fresh=_first(lives[-1], lowest),
        level=evidence.end_level_bytes - lowest if plateau and evidence is not None else None,
        level_from_s=tail_from if plateau else None,
        growth_per_hour=UNKNOWN if evidence is None else evidence.per_second.scaled(3600.0),
        growth_per_connection=per_connection,
        growth_per_audio_s=None if evidence is None else evidence.per_audio_s,
        budget_per_hour=facts.budget_per_s * 3600.0,
        budget_over_run=facts.budget_over_run,
        minimum_detectable_per_hour=facts.detectable_per_s * 3600.0,
        minimum_detectable_per_connection=None if per_connection is None else detectable(per_connection),
        probability_climbing=decision.belief,
        settling=decision.settling,
        follows=None if evidence is None or plateau else evidence.follows,
        warm_up_end_s=tail_from,
        trend_line=None if evidence is None else _line(evidence, points, lowest),
        restarts_at_s=tuple(float(later.t_s[0]) for later in lives[1:]),
        duration_s=facts.duration_s,
        samples=int(readings.t_s.size),
        basis=points.basis,
        points=JudgedPoints(points.t_s, points.memory_bytes - lowest, points.connections)
        if points.t_s.size
        else None,
        with_swap=readings.swapped,
    )


def _first(readings: Readings, lowest: float) -> float:
    return float(readings.memory_bytes[0]) - lowest if readings.memory_bytes.size else 0.0


def _last(readings: Readings, lowest: float) -> float:
    return float(readings.memory_bytes[-1]) - lowest if readings.memory_bytes.size else 0.0


def _budget(evidence: Evidence | None, points: Points, run: Run, settings: JudgeSettings) -> float:
    if evidence is not None:
        return budget_per_second(evidence.level_bytes, run.duration_s, settings)
    if points.t_s.size and run.duration_s > 0:
        return budget_per_second(float(np.median(points.memory_bytes)), run.duration_s, settings)
    return math.nan


def _line(evidence: Evidence, points: Points, lowest: float) -> Line:
    """Return the ends of a line with the growth that lasts, through the middle of what came after warm-up."""
    t_s, memory = points.t_s[evidence.first :], points.memory_bytes[evidence.first :]
    slope = evidence.per_second.estimate
    level = float(np.median(memory - slope * (t_s - t_s[0])))
    end = level + slope * float(t_s[-1] - t_s[0])
    return (float(t_s[0]), level - lowest), (float(t_s[-1]), end - lowest)

"""The judge: lives, floors, evidence, weighing, decision, words. Each step is a part of its own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from soak.advice.advise import Advice, AdviceContext, advise
from soak.analyse.decision import budget_bytes_per_second
from soak.analyse.evidence import POWER_FACTOR
from soak.analyse.life import judge_life, run_of
from soak.analyse.lives import read, split_lives
from soak.analyse.reasons import Facts, confidence_in_words, reasons_in_words
from soak.analyse.settings import JudgeSettings
from soak.analyse.weights import WEIGHTS
from soak.verdict.verdict import UNKNOWN, Estimate, JudgedPoints, Label, Verdict

if TYPE_CHECKING:
    from soak.analyse.decision import Run
    from soak.analyse.evidence import Evidence
    from soak.analyse.life import Judged
    from soak.analyse.lives import Readings
    from soak.analyse.points import Points
    from soak.analyse.series import Series
    from soak.analyse.weighing import Weights


def judge(
    series: Series,
    settings: JudgeSettings | None = None,
    context: AdviceContext | None = None,
    weights: Weights = WEIGHTS,
) -> Verdict:
    """Decide whether the memory in `series` plateaus or climbs; too little data is inconclusive.

    Of a process that was restarted the last life is judged; an earlier one speaks for it where it was much
    longer. `context` adds what the advice needs to know of the server; `weights` are given to measure others
    than those in use. Never raises for a valid `Series`.
    """
    settings = settings or JudgeSettings()
    readings = read(series)
    lives = split_lives(readings, settings)
    judged = judge_lives(lives, settings, weights)
    evidence, points, run = judged.evidence, judged.points, judged.run
    facts = Facts(
        decision=judged.decision,
        evidence=evidence,
        points=points,
        run=run,
        start_bytes=float(judged.life.memory_bytes[0]) if judged.life.memory_bytes.size else 0.0,
        budget_bytes_per_s=_budget(evidence, points, run, settings),
        budget_is_relative=settings.max_growth_bytes_per_hour is None,
        restarts=len(lives) - 1,
        last_life=judged.life is lives[-1],
        detectable_bytes_per_s=math.nan if evidence is None else _detectable(evidence.per_second),
        settings=settings,
        spoken=judged.spoken,
    )
    return _verdict(facts, readings, lives, context)


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


def _verdict(
    facts: Facts,
    readings: Readings,
    lives: list[Readings],
    context: AdviceContext | None,
) -> Verdict:
    evidence, points, decision = facts.evidence, facts.points, facts.decision
    peak = float(readings.memory_bytes.max()) if readings.memory_bytes.size else 0.0
    plateau = decision.label is Label.PLATEAU
    hourly = UNKNOWN if evidence is None else evidence.per_second.scaled(3600.0)
    per_connection = None if evidence is None else evidence.per_connection
    tail_from = None if evidence is None else float(points.t_s[evidence.first])
    return Verdict(
        verdict=decision.label,
        reasons=reasons_in_words(facts),
        metric="rss_plus_swap_bytes" if readings.swapped else "rss_bytes",
        start_bytes=round(facts.start_bytes),
        plateau_bytes=round(evidence.end_level_bytes) if plateau and evidence is not None else None,
        peak_bytes=round(peak),
        plateau_at_s=tail_from if plateau else None,
        growth_bytes_per_hour=hourly,
        growth_bytes_per_connection=per_connection,
        minimum_detectable_bytes_per_hour=facts.detectable_bytes_per_s * 3600.0,
        restarts=facts.restarts,
        advice=_advice(facts, peak, lives[-1], hourly, context),
        warm_up_end_s=tail_from,
        budget_bytes_per_hour=facts.budget_bytes_per_s * 3600.0,
        minimum_detectable_bytes_per_connection=None
        if per_connection is None
        else _detectable(per_connection),
        growth_bytes_per_audio_s=None if evidence is None else evidence.per_audio_s,
        follows=None if evidence is None or plateau else evidence.follows,
        confidence=confidence_in_words(facts),
        probability_climbing=decision.belief,
        settling=decision.settling,
        trend_line=None if evidence is None else _line(evidence, points),
        restarts_at_s=tuple(float(later.t_s[0]) for later in lives[1:]),
        duration_s=float(readings.t_s[-1] - readings.t_s[0]) if readings.t_s.size else 0.0,
        samples=int(readings.t_s.size),
        basis=points.basis,
        points=JudgedPoints(points.t_s, points.memory_bytes, points.connections) if points.t_s.size else None,
    )


def _budget(evidence: Evidence | None, points: Points, run: Run, settings: JudgeSettings) -> float:
    if evidence is not None:
        return budget_bytes_per_second(evidence.level_bytes, run.duration_s, settings)
    if points.t_s.size and run.duration_s > 0:
        return budget_bytes_per_second(float(np.median(points.memory_bytes)), run.duration_s, settings)
    return math.nan


def _advice(
    facts: Facts, peak: float, life: Readings, hourly: Estimate, context: AdviceContext | None
) -> Advice:
    climbing = facts.decision.label is Label.CLIMBING
    return advise(
        peak_bytes=peak,
        last_bytes=float(life.memory_bytes[-1]) if life.memory_bytes.size else 0.0,
        start_bytes=float(life.memory_bytes[0]) if life.memory_bytes.size else 0.0,
        climbing_bytes_per_hour=hourly.estimate if climbing else None,
        at_most_bytes_per_hour=hourly.high,
        is_plateau=facts.decision.label is Label.PLATEAU,
        context=context,
    )


def _line(evidence: Evidence, points: Points) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the ends of a line with the growth that lasts, through the middle of what came after warm-up."""
    t_s, memory = points.t_s[evidence.first :], points.memory_bytes[evidence.first :]
    slope = evidence.per_second.estimate
    level = float(np.median(memory - slope * (t_s - t_s[0])))
    return (float(t_s[0]), level), (float(t_s[-1]), level + slope * float(t_s[-1] - t_s[0]))


def _detectable(slope: Estimate) -> float:
    return POWER_FACTOR * 0.5 * (slope.high - slope.low)

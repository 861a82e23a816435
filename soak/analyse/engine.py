"""The judge: lives, floors, warm-up, evidence, decision, words. Each step is a part of its own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.advice import Advice, AdviceContext, advise
from soak.analyse.decision import Run, budget_bytes_per_second, check_minimum, decide
from soak.analyse.evidence import POWER_FACTOR, Evidence, gather
from soak.analyse.lives import Readings, read, split_lives
from soak.analyse.points import Points, floors
from soak.analyse.reasons import Facts, confidence_in_words, reasons_in_words
from soak.analyse.settings import JudgeSettings
from soak.analyse.verdict import Estimate, JudgedPoints, Label, Verdict

if TYPE_CHECKING:
    from soak.analyse.series import Series

UNKNOWN = Estimate(math.nan, math.nan, math.nan)


def judge(
    series: Series, settings: JudgeSettings | None = None, context: AdviceContext | None = None
) -> Verdict:
    """Decide whether the memory in `series` plateaus or climbs; too little data is inconclusive.

    Only the last life of a process that was restarted is judged. `context` adds what the advice needs to
    know of the server. Never raises for a valid `Series`.
    """
    settings = settings or JudgeSettings()
    readings = read(series)
    lives = split_lives(readings, settings)
    life = lives[-1]
    points = floors(life, settings)
    run = _run(life)
    decision = check_minimum(points, run, settings)
    evidence = None
    if decision is None:
        evidence = gather(points, float(life.t_s[0]), settings)
        decision = decide(evidence, run, settings)
    facts = Facts(
        decision=decision,
        evidence=evidence,
        points=points,
        run=run,
        start_bytes=float(life.memory_bytes[0]) if life.memory_bytes.size else 0.0,
        budget_bytes_per_s=_budget(evidence, points, run, settings),
        budget_is_relative=settings.max_growth_bytes_per_hour is None,
        restarts=len(lives) - 1,
        detectable_bytes_per_s=math.nan if evidence is None else _detectable(evidence.per_second),
        settings=settings,
    )
    return _verdict(facts, readings, lives, context)


def _verdict(
    facts: Facts, readings: Readings, lives: list[Readings], context: AdviceContext | None
) -> Verdict:
    evidence, points, decision = facts.evidence, facts.points, facts.decision
    life = lives[-1]
    peak = float(readings.memory_bytes.max()) if readings.memory_bytes.size else 0.0
    plateau = decision.label is Label.PLATEAU
    hourly = UNKNOWN if evidence is None else _scaled(evidence.per_second, 3600.0)
    per_connection = None if evidence is None else evidence.per_connection
    per_connection_seen = None if per_connection is None else _detectable(per_connection)
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
        advice=_advice(facts, peak, life, hourly, context),
        warm_up_end_s=tail_from if evidence is not None and evidence.warm_up_over else None,
        budget_bytes_per_hour=facts.budget_bytes_per_s * 3600.0,
        minimum_detectable_bytes_per_connection=per_connection_seen,
        follows=None if evidence is None or decision.label is Label.PLATEAU else evidence.follows,
        confidence=confidence_in_words(facts),
        settling=decision.settling,
        trend_line=None if evidence is None else _line(evidence, points),
        restarts_at_s=tuple(float(later.t_s[0]) for later in lives[1:]),
        duration_s=float(readings.t_s[-1] - readings.t_s[0]) if readings.t_s.size else 0.0,
        samples=int(readings.t_s.size),
        basis=points.basis,
        points=JudgedPoints(points.t_s, points.memory_bytes, points.connections) if points.t_s.size else None,
    )


def _run(life: Readings) -> Run:
    if not life.t_s.size:
        return Run(0.0, None)
    counted = None if life.connections is None else float(life.connections[-1] - life.connections[0])
    return Run(float(life.t_s[-1] - life.t_s[0]), counted)


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
        climbing_bytes_per_hour=hourly.estimate if climbing else None,
        context=context,
    )


def _line(evidence: Evidence, points: Points) -> tuple[tuple[float, float], tuple[float, float]]:
    tail = points.t_s[evidence.first :]
    centre = float(tail.mean())

    def at(t_s: float) -> tuple[float, float]:
        return t_s, evidence.level_bytes + evidence.per_second.estimate * (t_s - centre)

    return at(float(tail[0])), at(float(tail[-1]))


def _detectable(slope: Estimate) -> float:
    return POWER_FACTOR * 0.5 * (slope.high - slope.low)


def _scaled(slope: Estimate, factor: float) -> Estimate:
    return Estimate(slope.estimate * factor, slope.low * factor, slope.high * factor)

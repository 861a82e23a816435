"""The judge of one series: lives, floors, what is believed of their growth, decision, reasons."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.decision.life import judge_life
from soak.analyse.decision.reasons import Facts, reasons_of
from soak.analyse.floors.axes import growth_follows
from soak.analyse.floors.lives import read, split_lives
from soak.analyse.floors.run import run_of
from soak.analyse.floors.tail import tail_of
from soak.analyse.posterior import smallest_seen
from soak.analyse.settings import JudgeSettings
from soak.verdict.quantities import Quantity
from soak.verdict.verdict import Estimate, JudgedPoints, Label, SeriesVerdict

if TYPE_CHECKING:
    from soak.analyse.decision.life import Judged
    from soak.analyse.floors.lives import Readings
    from soak.analyse.floors.points import Points
    from soak.analyse.floors.tail import Tail
    from soak.analyse.posterior import Growth
    from soak.analyse.series import Series
    from soak.verdict.verdict import Line

A_COUNT = 1.0
"""What a count is rounded to; resident memory is counted in pages,"""
MALLOC_ROUNDS_TO_BYTES = 16.0
"""and what is in use of a heap by this."""
HOUR_S = 3600.0


def judge_series(
    series: Series, settings: JudgeSettings | None = None, *, budget_over_run: float | None = None
) -> SeriesVerdict:
    """Decide whether the quantity in `series` plateaus or climbs; too little data is inconclusive.

    Of a process that was restarted the last life is judged, or the longest where the last is much shorter.
    `budget_over_run` is the growth from the first to the last reading that is accepted, in the quantity's
    unit, instead of the settings' budget; a count needs one. Never raises for a valid `Series`.
    """
    readings = read(series)
    duration_s = float(readings.t_s[-1] - readings.t_s[0]) if readings.t_s.size else 0.0
    settings = _settings_for(series, settings or JudgeSettings(), budget_over_run, duration_s)
    lives = split_lives(readings, settings)
    judged = judge_life(life_to_judge(lives, settings), settings)
    return _verdict(series, judged, readings, lives, settings, duration_s)


def _settings_for(
    series: Series, settings: JudgeSettings, budget_over_run: float | None, duration_s: float
) -> JudgeSettings:
    """Return the settings with what the quantity's unit asks for, and with the budget of its own."""
    if not series.quantity.unit.tells_restarts:
        settings = replace(settings, grain_bytes=A_COUNT, max_restarts=0)
    if series.quantity is Quantity.HEAP:
        settings = replace(settings, grain_bytes=MALLOC_ROUNDS_TO_BYTES)
    if budget_over_run is None:
        return settings
    return replace(settings, max_growth_bytes_per_hour=budget_over_run * HOUR_S / max(duration_s, 1e-3))


def life_to_judge(lives: list[Readings], settings: JudgeSettings) -> Readings:
    """Return the last life, or the longest where the last is much shorter."""
    longest = max(lives, key=lambda life: run_of(life).duration_s)
    if run_of(lives[-1]).duration_s < settings.short_life_share * run_of(longest).duration_s:
        return longest
    return lives[-1]


def _verdict(
    series: Series,
    judged: Judged,
    readings: Readings,
    lives: list[Readings],
    settings: JudgeSettings,
    duration_s: float,
) -> SeriesVerdict:
    points, decision = judged.points, judged.decision
    known = SeriesVerdict(
        quantity=series.quantity,
        label=decision.label,
        reasons=(),
        start=_first(judged.life),
        end=float(readings.memory_bytes[-1]) if readings.memory_bytes.size else 0.0,
        peak=float(readings.memory_bytes.max()) if readings.memory_bytes.size else 0.0,
        fresh=_first(lives[-1]),
        confidence=settings.confidence,
        budget_per_hour=judged.budget / points.length_s * HOUR_S if points.readings > 1 else float("nan"),
        budget_over_run=judged.budget,
        probability_climbing=decision.belief,
        settling=decision.settling,
        restarts_at_s=tuple(float(later.t_s[0]) for later in lives[1:]),
        duration_s=duration_s,
        samples=int(readings.t_s.size),
        basis=points.basis,
        points=JudgedPoints(points.t_s, points.values, points.connections) if points.t_s.size else None,
        with_swap=readings.swapped,
    )
    tail = None
    if judged.growth is not None:
        tail = tail_of(points, judged.growth.quantile(0.5), max(judged.budget, judged.grain))
        known = _with_course(_with_growth(known, judged, judged.growth, settings), points, tail)
    facts = Facts(known, judged, tail, settings, last_life=judged.life is lives[-1])
    return replace(known, reasons=reasons_of(facts))


def _with_growth(
    known: SeriesVerdict, judged: Judged, growth: Growth, settings: JudgeSettings
) -> SeriesVerdict:
    """Add everything that is read off what is believed of the growth."""
    points, confidence = judged.points, settings.confidence
    smallest = smallest_seen(
        points, growth, judged.grain, judged.budget, confidence, in_steps=settings.in_steps
    )
    hourly = HOUR_S / points.length_s
    connections = None if points.connections is None else float(np.ptp(points.connections))
    audio_s = None if points.audio_s is None else float(np.ptp(points.audio_s))
    shown = _estimate(growth, confidence)
    return replace(
        known,
        growth_per_hour=shown.scaled(hourly),
        growth_per_connection=None if connections is None else shown.scaled(1.0 / connections),
        growth_per_audio_s=None if audio_s is None else shown.scaled(1.0 / audio_s),
        minimum_detectable_per_hour=smallest * hourly,
        minimum_detectable_per_connection=None if connections is None else smallest / connections,
        follows=None if known.label is Label.PLATEAU else growth_follows(points),
    )


def _estimate(growth: Growth, confidence: float) -> Estimate:
    return Estimate(growth.quantile(0.5), growth.quantile(1.0 - confidence), growth.quantile(confidence))


def _with_course(known: SeriesVerdict, points: Points, tail: Tail) -> SeriesVerdict:
    """Add where warm-up ended, the line from there on, and the level of a plateau."""
    began_s = float(points.t_s[tail.first])
    known = replace(known, warm_up_end_s=began_s, trend_line=_line(points, tail))
    if known.label is not Label.PLATEAU:
        return known
    last = points.values[-max(1, points.values.size // 3) :]
    return replace(known, level=float(np.median(last)), level_from_s=began_s)


def _line(points: Points, tail: Tail) -> Line:
    """Return the ends of the line with the growth that lasts."""
    return (
        (float(points.t_s[tail.first]), float(tail.line[tail.first])),
        (float(points.t_s[-1]), float(tail.line[-1])),
    )


def _first(readings: Readings) -> float:
    return float(readings.memory_bytes[0]) if readings.memory_bytes.size else 0.0

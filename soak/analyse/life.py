"""Judging one life of a process: its evidence as a whole and in its last parts, weighed, then the rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from soak.analyse.decision import (
    Decision,
    Run,
    budget_per_second,
    check_minimum,
    decide,
    settled,
    weighs_as_flat,
    weighs_as_leak,
)
from soak.analyse.evidence import Evidence, gather
from soak.analyse.figures import by_topic, figures
from soak.analyse.points import Points, floors
from soak.analyse.weighing import added, belief_in_leak

if TYPE_CHECKING:
    from collections.abc import Mapping

    from soak.analyse.lives import Readings
    from soak.analyse.settings import JudgeSettings
    from soak.analyse.weighing import Weights
    from soak.verdict.reason import Topic

LAST_PARTS = {"two_thirds": 2 / 3, "half": 1 / 2}
"""The last parts of a life whose evidence is gathered by itself, too, and what they are of it: a warm-up that
no shape fits makes the rest look noisier than it is."""


@dataclass(frozen=True, eq=False)
class Part:
    """A life, or the last part of one, and what it shows."""

    points: Points
    evidence: Evidence


@dataclass(frozen=True, eq=False)
class Weighable:
    """What there is to weigh of one life."""

    parts: tuple[Part, ...]
    """All of it, then its last parts, longest first; those with too few points are left out."""
    figures: dict[str, float]
    budget_bytes: float
    """Growth accepted over the points."""


@dataclass(frozen=True, eq=False)
class Judged:
    """One life of the process, judged."""

    life: Readings
    points: Points
    """Those that the evidence is of: of all the life, or of a last part that says more."""
    run: Run
    evidence: Evidence | None
    decision: Decision
    weighed: Mapping[Topic, float] = field(default_factory=dict)
    """What was weighed, with what it adds to the log odds of a leak."""


def judge_life(life: Readings, settings: JudgeSettings, weights: Weights, *, restarted: bool) -> Judged:
    """Judge one life of a process that was, or was not, restarted."""
    run, points = run_of(life), floors(life, settings)
    decision = check_minimum(points, run, settings)
    if decision is not None:
        return Judged(life, points, run, None, decision)
    found = weigh(points, run, settings, restarted=restarted)
    belief = belief_in_leak(found.figures, weights)
    told = telling(found, belief, settings)
    evidence = told.evidence.believed(belief)
    decision = decide(evidence, belief, run, settings)
    return Judged(life, told.points, run, evidence, decision, by_topic(added(found.figures, weights)))


def weigh(points: Points, run: Run, settings: JudgeSettings, *, restarted: bool) -> Weighable:
    """Gather what speaks for and against a leak; needs points that pass `check_minimum`."""
    per_second = budget_per_second(points.level_bytes, run.duration_s, settings)
    budget = per_second * points.length_s
    whole = gather(points, settings, budget)
    parts = [Part(points, whole)]
    weighed = {}
    for name, share in LAST_PARTS.items():
        last = points.since(float(points.t_s[-1]) - share * points.length_s)
        weighed[name] = (whole, budget)
        if last.t_s.size >= settings.min_points:
            over_last = per_second * last.length_s
            evidence = gather(last, settings, over_last, points)
            parts.append(Part(last, evidence))
            weighed[name] = (evidence, over_last)
    return Weighable(tuple(parts), figures(whole, points, budget, weighed, restarted=restarted), budget)


def run_of(life: Readings) -> Run:
    """Return how long a life was, and how many connections it saw."""
    if not life.t_s.size:
        return Run(0.0, None)
    counted = None if life.connections is None else float(life.connections[-1] - life.connections[0])
    return Run(float(life.t_s[-1] - life.t_s[0]), counted)


def telling(found: Weighable, belief: float, settings: JudgeSettings) -> Part:
    """Return the part whose growth is told: of a leak the whole, unless only a last part shows it; of a
    plateau the one that excludes most.
    """
    parts = found.parts
    if weighs_as_leak(belief, settings):
        if parts[0].evidence.still_warms(settings.most_warming):
            # a warm-up hides in its own last part, but it does not keep its pace there
            parts = (parts[0], *(p for p in parts[1:] if p.evidence.kept_pace >= settings.kept_pace))
        return min(parts, key=lambda part: part.evidence.doubts(settings.little_warming))
    if weighs_as_flat(belief, settings):
        budget_bytes_per_s = found.budget_bytes / parts[0].points.length_s
        flat = [
            p
            for p in parts
            if p.evidence.lasting <= 0.5 and settled(p.evidence, budget_bytes_per_s, settings)
        ]
        return min(
            flat or parts[:1], key=lambda part: part.evidence.per_second.high - part.evidence.per_second.low
        )
    return parts[0]

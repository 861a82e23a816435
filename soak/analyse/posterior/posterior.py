"""What is believed of the growth that lasts, from the points of one life: the only way into this room.

The evidence of all the points and of their last parts is weighed; the part that says most is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.analyse.posterior.evidence import Evidence, gather
from soak.analyse.posterior.figures import by_topic, figures
from soak.analyse.posterior.gates import settled, weighs_as_flat, weighs_as_leak
from soak.analyse.posterior.weighing import added, belief_in_leak
from soak.analyse.posterior.weights import WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from soak.analyse.floors.points import Points
    from soak.analyse.posterior.weighing import Weights
    from soak.analyse.settings import JudgeSettings
    from soak.verdict.reason import Topic

LAST_PARTS = {"two_thirds": 2 / 3, "half": 1 / 2}
"""The last parts of a life whose evidence is gathered by itself, too, and what they are of it: a warm-up that
no shape fits makes the rest look noisier than it is."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is believed of the growth that lasts."""

    probability: float
    """Of growth beyond the budget that goes on, all things weighed."""
    evidence: Evidence
    """The growth with its interval, what ended before it, and how it was found."""
    points: Points
    """Those that the evidence is of: all of them, or a last part that says more."""
    weighed: Mapping[Topic, float]
    """What was weighed, with what it adds to the log odds of a leak."""


def posterior_of(
    points: Points,
    budget_per_s: float,
    settings: JudgeSettings,
    *,
    restarted: bool = False,
    weights: Weights = WEIGHTS,
) -> Posterior:
    """Return what is believed of the growth that lasts, from at least `settings.min_points` points.

    `budget_per_s` is the growth that is accepted; `restarted` says that the process had a life before.
    """
    found = weigh(points, budget_per_s, settings, restarted=restarted)
    belief = belief_in_leak(found.figures, weights)
    told = telling(found, belief, settings)
    weighed = by_topic(added(found.figures, weights))
    return Posterior(belief, told.evidence.believed(belief), told.points, weighed)


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


def weigh(points: Points, budget_per_s: float, settings: JudgeSettings, *, restarted: bool) -> Weighable:
    """Gather what speaks for and against a leak; needs at least `settings.min_points`."""
    budget = budget_per_s * points.length_s
    whole = gather(points, settings, budget)
    parts = [Part(points, whole)]
    weighed = {}
    for name, share in LAST_PARTS.items():
        last = points.since(float(points.t_s[-1]) - share * points.length_s)
        weighed[name] = (whole, budget)
        if last.t_s.size >= settings.min_points:
            over_last = budget_per_s * last.length_s
            evidence = gather(last, settings, over_last, points)
            parts.append(Part(last, evidence))
            weighed[name] = (evidence, over_last)
    return Weighable(tuple(parts), figures(whole, points, budget, weighed, restarted=restarted), budget)


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

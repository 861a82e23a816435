"""How much more of a run settles it: watched on the world, told by how far a run is from a verdict."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from soak.analyse.budget import budget_per_second
from soak.analyse.decision.forecast import LEANINGS, READINGS, closeness, kind_of
from soak.analyse.floors.points import points_of
from soak.analyse.posterior.conditioning import conditioned
from soak.analyse.posterior.network import beliefs
from soak.analyse.settings import JudgeSettings
from soak.learn.seen import readings_of
from soak.learn.world import example

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from soak.analyse.floors.lives import Readings

SEED = 20261128
GROWTH = 1.25
"""Of a run, from one look to the next."""
EARLIEST, LATEST = 0.06, 0.6
"""Share of a trace at which it is looked at first."""
FEWEST_READINGS = 24
"""Shorter traces have nothing to follow."""
FEWEST_WATCHED = 40
"""Runs below which nothing is told of a kind."""
HALF = 0.5


def write_settling(traces: int, path: Path, tell: Callable[[int], None]) -> None:
    """Watch so many traces settle, and write the table that the forecast reads."""
    watched: dict[tuple[int, int], list[tuple[float, bool]]] = {}
    for index in range(traces):
        for kind, more, settled in _course(index):
            watched.setdefault(kind, []).append((more, settled))
        if (index + 1) % 1000 == 0:
            tell(index + 1)
    table: list[list[float | None]] = [
        [_median(watched.get((row, column), [])) for column in range(len(LEANINGS) - 1)]
        for row in range(len(READINGS) - 1)
    ]
    content: dict[str, Any] = {"traces": traces, "seed": SEED, "more": table}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _course(index: int) -> Iterable[tuple[tuple[int, int], float, bool]]:
    """Return, for each look at a trace that left it undecided: its kind, how much more, and whether then.

    How much more is a share of the run at that look; where it never settles, as far as it was followed.
    """
    made = example((SEED, index))
    life = readings_of(made)
    size = life.t_s.size
    if size < FEWEST_READINGS:
        return []
    share = EARLIEST * (LATEST / EARLIEST) ** float(np.random.default_rng((SEED, index)).random())
    sizes = []
    while share <= 1.0:
        sizes.append(int(np.searchsorted(life.t_s, share * life.t_s[-1], side="right")))
        share *= GROWTH
    sizes = [each for each in dict.fromkeys(sizes) if each >= 3]
    if not sizes:
        return []
    beyond = _probabilities([life.part(slice(0, each)) for each in sizes], made.recorded.grain)
    settings = JudgeSettings()
    decided = [max(each, 1.0 - each) >= settings.confidence for each in beyond]
    found = []
    for look, probability in enumerate(beyond):
        if decided[look]:
            break
        later = next((k for k in range(look + 1, len(sizes)) if decided[k]), None)
        until = life.t_s[sizes[-1 if later is None else later] - 1] / life.t_s[sizes[look] - 1]
        kind = kind_of(sizes[look], closeness(probability, settings.confidence))
        found.append((kind, float(until) - 1.0, later is not None))
    return found


def _probabilities(lives: list[Readings], grain: float) -> list[float]:
    points = [points_of(life) for life in lives]
    shown = [conditioned(each, grain) for each in points]
    settings = JudgeSettings()
    return [
        belief.beyond(
            budget_per_second(each.level, float(life.t_s[-1] - life.t_s[0]), settings) * each.length_s
        )
        for life, each, belief in zip(lives, points, beliefs(shown), strict=True)
    ]


def _median(watched: list[tuple[float, bool]]) -> float | None:
    """Return how much more settles half of the runs, by Kaplan and Meier; None where half never settle.

    Kaplan and Meier, "Nonparametric estimation from incomplete observations", JASA 53, 1958: runs that were
    not followed to their end count as long as they were.
    """
    if len(watched) < FEWEST_WATCHED:
        return None
    left, still = 1.0, len(watched)
    for more, settled in sorted(watched):
        if settled:
            left *= 1.0 - 1.0 / still
            if left <= HALF:
                return round(more, 3)
        still -= 1
    return None

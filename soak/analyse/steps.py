"""Where a figure of many runs, in order, stepped to another level and stayed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import ruptures

from soak.analyse.floors.points import MAD_TO_DEVIATION
from soak.analyse.repeats import moderated_difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from soak.verdict.verdict import Estimate

FEWEST = 4
"""Fewer values than this have no step: two on a side are the least that shows one."""
MIN_SIDE = 2
"""A single run that stands out is no step: it may be the machine."""
PENALTY = 3.0
"""Of a step, in units of noise variance times ln n (the BIC of a mean and a place is 2)."""
CONFIDENCE = 0.999
"""Of each step against no step: a history is looked at in many places."""


@dataclass(frozen=True)
class Step:
    """One step."""

    index: int
    """The first value after it."""
    before: float
    """Mean of the values since the step before, or the first."""
    after: float
    """Mean of the values until the next step, or the last."""
    difference: Estimate
    """After minus before, with its 99.9 % interval."""
    without_extremes: float
    """The same, when each side loses the one value that speaks most for the step."""


def find_steps(values: Sequence[float], *, expected_spread: float, tolerance: float) -> list[Step]:
    """Return the steps of `values`, finite and in order, that are larger than `tolerance` (in their unit).

    Places come from penalised least squares (PELT; Killick, Fearnhead and Eckley, JASA 107, 2012) with the
    noise taken from successive differences, which steps do not inflate, and at least half of
    `expected_spread`, the standard deviation between healthy runs. Each must then hold against the runs
    beside it by a moderated t, and no single run may carry it; the weakest that does not is dropped and its
    sides become one.
    """
    known = np.asarray(values, dtype=np.float64)
    if len(known) < FEWEST:
        return []
    moves = np.diff(known)
    sigma = MAD_TO_DEVIATION * float(np.median(np.abs(moves - np.median(moves)))) / math.sqrt(2)
    variance = max(sigma, expected_spread / 2) ** 2
    search = ruptures.Pelt(model="l2", min_size=MIN_SIDE, jump=1).fit(known.reshape(-1, 1))
    places = [int(end) for end in search.predict(pen=PENALTY * variance * math.log(len(known)))[:-1]]
    while places:
        steps = _between(known, places, expected_spread)
        weakest = min(steps, key=lambda step: _margin(step, tolerance))
        if _margin(weakest, tolerance) > 0:
            return steps
        places.remove(weakest.index)
    return []


def _between(values: NDArray[np.float64], places: Sequence[int], expected_spread: float) -> list[Step]:
    bounds = [0, *places, len(values)]
    steps = []
    for start, place, end in zip(bounds, bounds[1:], bounds[2:], strict=False):
        before, after = values[start:place], values[place:end]
        difference = moderated_difference(
            after.tolist(), before.tolist(), expected_spread=expected_spread, confidence=CONFIDENCE
        )
        steps.append(
            Step(
                place, float(before.mean()), float(after.mean()), difference, _without_extremes(before, after)
            )
        )
    return steps


def _without_extremes(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    if after.mean() > before.mean():
        kept_before, kept_after = np.sort(before)[1:], np.sort(after)[:-1]
    else:
        kept_before, kept_after = np.sort(before)[:-1], np.sort(after)[1:]
    return float(kept_after.mean() - kept_before.mean())


def _margin(step: Step, tolerance: float) -> float:
    """Return by how much a step is certain and large enough; not above 0 when it is not."""
    rises = step.difference.estimate > 0
    nearest = step.difference.low if rises else -step.difference.high
    carried = step.without_extremes if rises else -step.without_extremes
    return min(nearest, abs(step.difference.estimate) - tolerance, carried - tolerance / 2)

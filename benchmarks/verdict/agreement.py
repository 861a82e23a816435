"""Whether a verdict's label and its numbers say the same. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from soak.verdict.verdict import Estimate

SLACK = 1e-6
"""Share by which two numbers may differ that are meant to be one: bounds are found by halving."""


def contradictions(
    label: Label,
    growth: Estimate,
    budget: float,
    *,
    probability: float | None = None,
    confidence: float | None = None,
) -> tuple[str, ...]:
    """Name what contradicts the label: a bound, the estimate or the probability of growth beyond the budget.

    `growth` and `budget` are in one unit. The probability is held against the label only where it is known
    which `confidence` the label needs. Empty where there is no estimate: nothing is then said twice.
    """
    if not all(map(math.isfinite, (budget, growth.estimate, growth.low, growth.high))):
        return ()
    above, below = budget * (1 + SLACK), budget * (1 - SLACK)
    found = []
    if label is Label.PLATEAU:
        found += ["a bound above the budget"] if growth.high > above else []
        found += ["the estimate above the budget"] if growth.estimate > above else []
    if label is Label.CLIMBING:
        found += ["a bound below the budget"] if growth.low < below else []
        found += ["the estimate below the budget"] if growth.estimate < below else []
    if label is Label.INCONCLUSIVE and (growth.low > above or growth.high < below):
        found.append("bounds on one side of the budget, and undecided")
    if probability is not None and confidence is not None and math.isfinite(probability):
        found += _improbable(label, probability, confidence)
    return tuple(found)


def _improbable(label: Label, probability: float, confidence: float) -> list[str]:
    surely_climbs = probability >= confidence * (1 + SLACK)
    surely_flat = 1.0 - probability >= confidence * (1 + SLACK)
    climbs = probability >= confidence * (1 - SLACK)
    flat = 1.0 - probability >= confidence * (1 - SLACK)
    if label is Label.CLIMBING and not climbs:
        return ["climbing is not probable enough"]
    if label is Label.PLATEAU and not flat:
        return ["a plateau is not probable enough"]
    if label is Label.INCONCLUSIVE and (surely_climbs or surely_flat):
        return ["one answer is probable enough"]
    return []

"""The three-way rule: from what is believed and the budget to a label, and its cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.verdict.reason import ReasonKind
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from soak.analyse.posterior import Growth
    from soak.verdict.verdict import Settling

LEAST_READINGS = 3
"""Two readings are a line through anything."""


@dataclass(frozen=True)
class Decision:
    """A label, why, and what would settle it if it is inconclusive."""

    label: Label
    cause: ReasonKind
    settling: Settling | None = None
    belief: float = float("nan")
    """Probability of growth beyond the budget that goes on; NaN where there was too little to judge."""


def decide(growth: Growth, budget: float, grain: float, confidence: float) -> Decision:
    """Apply the rule; `budget` and `grain` are in the unit of the series, the budget over the points."""
    beyond = growth.beyond(budget)
    if beyond >= confidence:
        return Decision(Label.CLIMBING, ReasonKind.PERSISTS, belief=beyond)
    if beyond > 1.0 - confidence:
        # between two equal readings memory may have grown by as much as it was read to
        cause = ReasonKind.TOO_COARSE if grain > budget else ReasonKind.UNDECIDED
        return Decision(Label.INCONCLUSIVE, cause, belief=beyond)
    return Decision(Label.PLATEAU, ReasonKind.WITHIN_BUDGET, belief=beyond)

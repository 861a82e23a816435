"""How sure a verdict is, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from soak.verdict.quantities import Quantity
from soak.verdict.verdict import EVEN, Label
from soak.words.english.names import NAMES, percent

if TYPE_CHECKING:
    from soak.verdict.run_verdict import Confidence, RunVerdict
    from soak.verdict.verdict import SeriesVerdict

VERY_HIGH = 0.99
HIGH = 0.95
UNDECIDED = "not enough evidence to decide"


def confidence_in_words(verdict: SeriesVerdict) -> str:
    """Return how sure the verdict on one series is."""
    probability = verdict.probability_climbing
    if math.isnan(probability):
        return UNDECIDED
    if verdict.label is Label.INCONCLUSIVE:
        return f"{UNDECIDED}; {leaning_in_words(probability)}"
    climbing = verdict.label is Label.CLIMBING
    sure = probability if climbing else 1.0 - probability
    strength = "very high" if sure >= VERY_HIGH else "high" if sure >= HIGH else "moderate"
    what = "growth above the budget lasts" if climbing else "no lasting growth above the budget"
    return f"{strength}, {percent(sure)}: {what}"


def run_confidence_in_words(verdict: RunVerdict) -> str:
    """Return how sure the verdict on a run is, and which of its parts that is of."""
    return "; ".join(_part(each) for each in verdict.confidence)


def leaning_in_words(probability_climbing: float) -> str:
    """Say what a run leans to that is not decided."""
    if probability_climbing < EVEN:
        return f"leans to a plateau, {percent(1.0 - probability_climbing)}"
    return f"leans to climbing, {percent(probability_climbing)}"


def _part(confidence: Confidence) -> str:
    words = confidence_in_words(confidence.about)
    if not confidence.named:
        return words
    quantity = confidence.about.quantity
    name = "RSS" if quantity is Quantity.MEMORY else NAMES[quantity].lower()
    return f"{name}: {words}"

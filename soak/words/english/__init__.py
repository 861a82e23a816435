"""Verdicts in English: plain, the finding first, one name for one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.verdict.reason import ReasonKind
from soak.words.english import about_attribution, about_bytes, about_counts, about_runs
from soak.words.english.about_attribution import culprits_in_words, probe_name, summary_in_words
from soak.words.english.about_counts import growth_of_count
from soak.words.english.bounds import bounds_in_words, each_bound
from soak.words.english.confidence import confidence_in_words, leaning_in_words, run_confidence_in_words
from soak.words.english.names import NAMES, percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from soak.verdict.reason import Reason

__all__ = [
    "NAMES",
    "bounds_in_words",
    "confidence_in_words",
    "culprits_in_words",
    "each_bound",
    "growth_of_count",
    "leaning_in_words",
    "percent",
    "probe_name",
    "run_confidence_in_words",
    "sentence",
    "sentences",
    "summary_in_words",
]

SENTENCES = {**about_bytes.SENTENCES, **about_runs.SENTENCES, **about_attribution.SENTENCES}
"""What writes a reason, by its kind."""
COUNTS = about_counts.SENTENCES
"""What writes the finding on a count."""


def sentence(reason: Reason) -> str:
    """Return a reason as a sentence or a few."""
    facts = reason.facts
    if about_counts.is_count(facts):
        return COUNTS[reason.kind](facts)
    if reason.kind is ReasonKind.LEFT_OVER:
        return about_counts.left_over(facts)
    return SENTENCES[reason.kind](facts)


def sentences(reasons: Iterable[Reason]) -> tuple[str, ...]:
    """Return each reason as a sentence or a few, in their order."""
    return tuple(sentence(reason) for reason in reasons)

"""The only prose about verdicts: from a reason to a sentence, in a package for each language."""

from soak.words.english import (
    NAMES,
    bounds_in_words,
    confidence_in_words,
    culprits_in_words,
    each_bound,
    growth_of_count,
    leaning_in_words,
    percent,
    probe_name,
    run_confidence_in_words,
    sentence,
    sentences,
    summary_in_words,
)

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

"""The only prose about verdicts: from a reason to a sentence, in a package for each language."""

from soak.words.english import (
    NAMES,
    confidence_in_words,
    culprits_in_words,
    growth_of_count,
    leaning_in_words,
    probe_name,
    run_confidence_in_words,
    sentence,
    sentences,
    summary_in_words,
)

__all__ = [
    "NAMES",
    "confidence_in_words",
    "culprits_in_words",
    "growth_of_count",
    "leaning_in_words",
    "probe_name",
    "run_confidence_in_words",
    "sentence",
    "sentences",
    "summary_in_words",
]

"""A verdict as the JSON object other programs read (`verdict.json`, `--json`): its data, and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from soak.json_values import without_nan
from soak.verdict.run_json import run_verdict_out
from soak.words import confidence_in_words, run_confidence_in_words, sentences, summary_in_words

if TYPE_CHECKING:
    from soak.verdict.run_verdict import RunVerdict
    from soak.verdict.verdict import SeriesVerdict

SCHEMA_VERSION = 1
OF_SECONDS = ("trend_line", "points", "settling")
"""Keys that hold seconds and do not end in them."""


def verdict_document(verdict: RunVerdict, source: str | None = None) -> dict[str, Any]:
    """Return the verdict as JSON-ready data: the contract's keys first, NaN and infinities as null.

    `source` (a file name) is added as "source" when given, as `soak analyze` prints it.
    """
    head: dict[str, Any] = {"schema_version": SCHEMA_VERSION}
    if source is not None:
        head["source"] = source
    data = run_verdict_out(verdict)
    head |= {"verdict": data["verdict"], "reasons": list(sentences(verdict.reasons))}
    words: dict[str, Any] = {"confidence": run_confidence_in_words(verdict)}
    if verdict.attribution is not None:
        words["attribution"] = {**data["attribution"], "summary": summary_in_words(verdict.attribution)}
    words["resources"] = {
        name: {**data["resources"][name], **_words(one)} for name, one in verdict.resources.items()
    }
    cleaned = without_nan(head | data | words)
    assert isinstance(cleaned, dict)  # noqa: S101 - narrows the type; the argument above is a dict
    return cleaned


def by_steps(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a recording in order of steps: its growth by step, and nothing of seconds."""
    told: dict[str, Any] = {"growth_bytes_per_step": document["growth_bytes_per_hour"]}
    for name, value in document.items():
        told[name] = None if name.endswith(("_per_hour", "_s")) or name in OF_SECONDS else value
    told["advice"] = {name: None if name.endswith("_s") else each for name, each in told["advice"].items()}
    told["reasons_structured"] = []
    return told


def _words(verdict: SeriesVerdict) -> dict[str, Any]:
    return {"reasons": list(sentences(verdict.reasons)), "confidence": confidence_in_words(verdict)}

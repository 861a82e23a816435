"""What a report says first: the verdict or the failure, the sentence that says why, what to beware of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.record.events import Interrupted
from soak.verdict.reason import ReasonKind
from soak.verdict.verdict import Label
from soak.words import NAMES, run_confidence_in_words, sentence, sentences

if TYPE_CHECKING:
    from soak.record import Run, Transcripts
    from soak.verdict.reason import Reason
    from soak.verdict.run_verdict import RunVerdict

SIGNS = {"plateau": "✓", "climbing": "▲", "inconclusive": "?", "failed": "✕"}
"""Shapes that tell the tones apart without colour."""
HEADLINES = {Label.PLATEAU: "Memory plateaus", Label.INCONCLUSIVE: "Inconclusive"}
MEMORY_IN_PASSING = {
    Label.PLATEAU: "plateaus",
    Label.CLIMBING: "was climbing",
    Label.INCONCLUSIVE: "inconclusive",
}
"""What memory did, told behind a failure."""


@dataclass(frozen=True)
class Headline:
    """What stands on top of every form of the report."""

    label: str
    """``plateau``, ``climbing`` or ``inconclusive``."""
    tone: str
    """The label, or ``failed``: what its colour is chosen by."""
    sign: str
    """A shape that stands for the tone."""
    headline: str
    sentence: str
    """Why it is so: the judge's first reason."""
    settling: str | None
    """What would settle an inconclusive verdict."""
    confidence: str
    """How sure, in words; empty where nothing was weighed."""
    warnings: tuple[str, ...]
    """What a reader must not overlook: changed transcripts, an interruption, a cut file."""
    reasons: tuple[str, ...]
    """The reasons that neither `sentence` nor `settling` says."""


def headline(run: Run, verdict: RunVerdict, transcripts: Transcripts | None) -> Headline:
    """Say of a run what comes first."""
    failure = verdict.evidence.failure
    tone = str(verdict.label) if failure is None else "failed"
    # of a server that never answered nothing was judged, so there is nothing to be sure of or to settle
    was_judged = failure is None or failure.died
    first, *others = verdict.reasons
    settling = [reason for reason in others if _settles(reason)]
    undecided = verdict.label is Label.INCONCLUSIVE
    return Headline(
        label=str(verdict.label),
        tone=tone,
        sign=SIGNS[tone],
        headline=_headline(verdict),
        sentence=sentence(first),
        settling=sentence(settling[0]) if settling and was_judged and undecided else None,
        confidence=run_confidence_in_words(verdict) if was_judged else "",
        warnings=tuple(_warnings(run, transcripts)),
        reasons=sentences(reason for reason in others if reason not in settling),
    )


def _headline(verdict: RunVerdict) -> str:
    failure = verdict.evidence.failure
    if failure is None:
        return HEADLINES.get(verdict.label) or _climbs(verdict)
    if failure.died:
        return f"The server died; memory: {MEMORY_IN_PASSING[verdict.memory_label]}"
    return "No answer from the server"


def _climbs(verdict: RunVerdict) -> str:
    """Say what climbs: memory, other resources, or both."""
    names = ["memory"] if verdict.memory_label is Label.CLIMBING else []
    names += [NAMES[column].lower() for column in verdict.climbing]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{listed[:1].upper()}{listed[1:]} {'keeps' if names == ['memory'] else 'keep'} climbing"


def _settles(reason: Reason) -> bool:
    """Whether a reason says what would settle the run's verdict, not that of memory beside a climb."""
    if reason.kind is not ReasonKind.SETTLING:
        return False
    return reason.facts["more_seconds"] is not None and not reason.facts.get("of_memory")


def _warnings(run: Run, transcripts: Transcripts | None) -> list[str]:
    found = []
    if transcripts is not None and transcripts.warning is not None:
        found.append(transcripts.warning)
    if run.last_event(Interrupted) is not None:
        found.append("The run was interrupted; the verdict is drawn from what was recorded until then.")
    if run.origin is not None:
        found += run.origin.warnings
    if run.torn:
        found.append(
            "The last line of the recording was cut off (a kill or a full disk); "
            "everything before it was used."
        )
    return found

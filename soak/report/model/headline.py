"""What a report says first: the verdict or the failure, the sentence that says why, what to beware of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.analyse.reasons import TO_SETTLE
from soak.analyse.resources import RESOURCE_NAMES, climbing, memory_label
from soak.quantity import format_count, format_duration, format_interval, format_rate, is_known
from soak.record.events import Interrupted
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from soak.record import Run, Transcripts
    from soak.report.model.failure import TargetFailure
    from soak.verdict.verdict import Verdict

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
    death: str | None
    """How the server died, where it did and `sentence` does not say it."""
    warnings: tuple[str, ...]
    """What a reader must not overlook: a death, changed transcripts, an interruption, a cut file."""
    reasons: tuple[str, ...]
    """The reasons that neither `sentence` nor `settling` says."""


def headline(
    run: Run, verdict: Verdict, failure: TargetFailure | None, transcripts: Transcripts | None
) -> Headline:
    """Say of a run what comes first."""
    tone = str(verdict.verdict) if failure is None else "failed"
    said_by_judge = bool(verdict.reasons) and verdict.reasons[0].startswith("The server died")
    death = failure.sentence if failure is not None and failure.died and not said_by_judge else None
    return Headline(
        label=str(verdict.verdict),
        tone=tone,
        sign=SIGNS[tone],
        headline=_headline(verdict, failure),
        sentence=_sentence(verdict),
        settling=_settling(verdict),
        confidence=verdict.confidence,
        death=death,
        warnings=tuple(_warnings(run, death, transcripts)),
        reasons=tuple(reason for reason in verdict.reasons[1:] if not reason.startswith(TO_SETTLE)),
    )


def _headline(verdict: Verdict, failure: TargetFailure | None) -> str:
    if failure is None:
        return HEADLINES.get(verdict.verdict) or _climbs(verdict)
    if failure.died:
        return f"The server died; memory: {MEMORY_IN_PASSING[memory_label(verdict)]}"
    return "The server never answered"


def _climbs(verdict: Verdict) -> str:
    """Say what climbs: memory, other resources, or both."""
    names = ["memory"] if memory_label(verdict) is Label.CLIMBING else []
    names += [RESOURCE_NAMES[column].lower() for column in climbing(verdict)]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{listed[:1].upper()}{listed[1:]} {'keeps' if names == ['memory'] else 'keep'} climbing"


def _sentence(verdict: Verdict) -> str:
    """Say why the verdict is what it is: the judge's first reason, or the growth where it gave none."""
    if verdict.reasons:
        first = verdict.reasons[0]
        return f"{first[:1].upper()}{first[1:]}" + ("" if first.endswith((".", "!", "?")) else ".")
    growth = verdict.growth_bytes_per_hour
    if not (is_known(growth.low) and is_known(growth.high)):
        return "There are too few readings to fit a trend."
    interval = format_interval(growth.low, growth.high, "h")
    return f"Growth after warm-up: {format_rate(growth.estimate)} (95 % interval {interval})."


def _settling(verdict: Verdict) -> str | None:
    """Say what would settle an inconclusive verdict, in the judge's words or from its numbers."""
    if verdict.verdict is not Label.INCONCLUSIVE:
        return None
    said = next((reason for reason in verdict.reasons[1:] if reason.startswith(TO_SETTLE)), None)
    if said is not None or verdict.settling is None:
        return said
    more_seconds, more_connections = verdict.settling.more_seconds, verdict.settling.more_connections
    ways = []
    if is_known(more_seconds):
        ways.append(f"{format_duration(more_seconds)} more")
    if is_known(more_connections):
        ways.append(f"{format_count(more_connections)} more connections")
    return f"{TO_SETTLE} at the noise seen so far: about {' or '.join(ways)}." if ways else None


def _warnings(run: Run, death: str | None, transcripts: Transcripts | None) -> list[str]:
    found = [] if death is None else [death]
    if transcripts is not None and transcripts.warning is not None:
        found.append(transcripts.warning)
    if run.last_event(Interrupted) is not None:
        found.append("The run was interrupted; the verdict is drawn from what was recorded until then.")
    if run.torn:
        found.append(
            "The last line of the recording was cut off (a kill or a full disk); "
            "everything before it was used."
        )
    return found

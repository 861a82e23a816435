"""From the verdicts of a run's parts to the one of the run: its label, how sure it is, and why, in order."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from soak.verdict import attribution_reasons
from soak.verdict.attribution import Culprit
from soak.verdict.memory_evidence import weigh_memory
from soak.verdict.quantities import Quantity
from soak.verdict.reason import Reason, ReasonKind
from soak.verdict.run_verdict import Confidence, RunVerdict
from soak.verdict.verdict import Label, Settling

if TYPE_CHECKING:
    from soak.verdict.advice import Advice
    from soak.verdict.attribution import Attribution
    from soak.verdict.memory_evidence import MemoryFinding
    from soak.verdict.run_verdict import RunEvidence
    from soak.verdict.verdict import SeriesVerdict

SMALL_SHARE = 0.1
"""Of the growth of RSS at its least, what heap in use may add at its most; each is a one-sided bound at the
confidence of its verdict."""


def combine(evidence: RunEvidence, advice: Advice) -> RunVerdict:
    """Join what a run shows into its verdict.

    A server that never answered was not loaded: whatever its memory did, nothing is judged. One that died has
    shown no plateau. Any count that climbs makes the run climbing and is named first.
    A climb of RSS that is nothing but free memory that the allocator keeps, beside heap in use that is flat,
    is no leak; whether it ends is open.

    An inconclusive count leaves the verdict to memory, because counts of a few move in steps, and a run long
    enough for memory need not be so for each of them. It is said, though: always beside a decided memory, and
    beside an undecided one where the count surely grows at all. But a plateau of memory is none of the run's
    while an undecided count surely grows and leans to climbing.
    """
    failure = evidence.failure
    if failure is not None:
        evidence = replace(evidence, memory=_without_plateau(evidence.memory))
        if not failure.died:
            return _nothing_judged(evidence, failure.reason, advice)
    memory = weigh_memory(evidence)
    counts = _beside(memory, evidence)
    reasons = _with_attribution(_reasons(evidence, memory, counts), evidence.attribution)
    verdict = RunVerdict(
        label=counts.label,
        reasons=reasons,
        confidence=counts.confidence,
        evidence=evidence,
        memory_label=memory.label,
        probability_climbing=memory.probability_climbing,
        settling=counts.settling,
        advice=advice,
    )
    if failure is None:
        verdict = _with_heap(verdict)
    return replace(verdict, reasons=(*verdict.reasons, *evidence.notes))


def _nothing_judged(evidence: RunEvidence, why: Reason, advice: Advice) -> RunVerdict:
    return RunVerdict(
        label=Label.INCONCLUSIVE,
        reasons=(why, *evidence.notes),
        confidence=(),
        evidence=evidence,
        memory_label=Label.INCONCLUSIVE,
        probability_climbing=math.nan,
        settling=None,
        advice=advice,
    )


def _without_plateau(memory: SeriesVerdict) -> SeriesVerdict:
    memory = replace(memory, settling=None)
    if memory.label is not Label.PLATEAU:
        return memory
    return replace(memory, label=Label.INCONCLUSIVE, level=None, level_from_s=None)


@dataclass(frozen=True, eq=False)
class _Beside:
    """What the counts make of the verdict on memory."""

    climbing: tuple[SeriesVerdict, ...]
    growing: tuple[SeriesVerdict, ...]
    """Undecided ones that outweigh a plateau of memory."""
    other: tuple[SeriesVerdict, ...]
    """Undecided ones that are only said."""
    label: Label
    confidence: tuple[Confidence, ...]
    settling: Settling | None


def _beside(memory: MemoryFinding, evidence: RunEvidence) -> _Beside:
    counts = tuple((evidence.resources or {}).values())
    climbing = tuple(one for one in counts if one.label is Label.CLIMBING)
    undecided = [one for one in counts if one.label is Label.INCONCLUSIVE]
    outweighed = memory.label is Label.PLATEAU and not climbing
    growing = tuple(one for one in undecided if outweighed and one.surely_grows)
    decided = memory.label is not Label.INCONCLUSIVE
    other = tuple(one for one in undecided if one not in growing and (decided or one.growth_per_hour.low > 0))
    label, confidence, settling = memory.label, memory.confidence, memory.settling
    if growing:
        label, confidence = Label.INCONCLUSIVE, tuple(replace(each, named=True) for each in confidence)
        settling = growing[0].settling or Settling(None, None)
    elif climbing and memory.label is not Label.CLIMBING:
        label, confidence = Label.CLIMBING, (Confidence(climbing[0]),)
        # where memory is undecided that is told, even when nothing is known to settle it
        settling = memory.settling or (None if decided else Settling(None, None))
    return _Beside(climbing, growing, other, label, confidence, settling)


def _reasons(evidence: RunEvidence, memory: MemoryFinding, counts: _Beside) -> tuple[Reason, ...]:
    own = memory.reasons
    before = () if evidence.failure is None else (evidence.failure.reason,)
    if evidence.final_look is not None and evidence.failure is None:
        own = (*own[:1], evidence.final_look, *own[1:])
    if counts.climbing:
        own = tuple(_named(reason) for reason in own)
    said = [one.reasons[0] for one in counts.climbing]
    said += [reason for one in counts.growing for reason in one.reasons[:2]]
    after = [one.reasons[0] for one in counts.other]
    sessions = (evidence.resources or {}).get(Quantity.SESSIONS)
    if sessions is not None:
        after += [reason for reason in sessions.reasons if reason.kind is ReasonKind.LEFT_OVER]
    return (*before, *said, *own, *after)


def _named(reason: Reason) -> Reason:
    """Return what settles memory with the word that it is memory: beside a climb of something else."""
    if reason.kind is not ReasonKind.SETTLING:
        return reason
    return replace(reason, facts={**reason.facts, "of_memory": True})


def _with_attribution(reasons: tuple[Reason, ...], attribution: Attribution | None) -> tuple[Reason, ...]:
    """Put what climbs second and the rest of what an attribution says last."""
    if attribution is None:
        return reasons
    climbs = attribution_reasons.culprits(attribution)
    rest = (
        attribution_reasons.where_it_grew(attribution),
        attribution_reasons.sockets_left(attribution),
        attribution_reasons.given_back(attribution),
    )
    told = (*reasons[:1], climbs, *reasons[1:], *rest)
    return tuple(reason for reason in told if reason is not None)


def _with_heap(verdict: RunVerdict) -> RunVerdict:
    """Say of a run that is no plateau when what the server says of its heap is one, or hardly grew."""
    heap = verdict.heap
    if heap is None or verdict.evidence.heap_from_outside or verdict.label is Label.PLATEAU:
        return verdict
    facts = _flat_heap(heap, verdict.memory)
    if facts is None:
        return verdict
    if verdict.label is Label.INCONCLUSIVE:
        first = Reason(ReasonKind.HEAP_BESIDE, facts)
        confidence = (Confidence(verdict.memory), Confidence(heap))
        return replace(verdict, reasons=(first, *verdict.reasons), confidence=confidence)
    if verdict.attribution is None or verdict.attribution.culprits != (Culprit.RETAINED,):
        return verdict
    return replace(
        verdict,
        label=Label.INCONCLUSIVE,
        memory_label=Label.INCONCLUSIVE,
        reasons=(Reason(ReasonKind.HEAP_OUTWEIGHS, facts), *verdict.reasons),
        confidence=(Confidence(heap),),
        probability_climbing=heap.probability_climbing,
        settling=verdict.memory.as_much_again,
    )


def _flat_heap(heap: SeriesVerdict, memory: SeriesVerdict) -> dict[str, Any] | None:
    """Return how flat heap in use is: its own main facts as "flat", or its share of the growth of RSS.

    None where it is not shown to be flat. A budget may be too tight to show a plateau yet, as that of a day
    is in its first hour.
    """
    if heap.label is Label.PLATEAU:
        return {"flat": dict(heap.reasons[0].facts)}
    most, least = heap.growth_per_hour.high, memory.growth_per_hour.low
    if heap.label is Label.CLIMBING or not least > 0 or not most <= SMALL_SHARE * least:
        return None
    return {
        "flat": None,
        "most_share": most / least,
        "most_bytes_per_hour": most,
        "confidence": heap.confidence,
    }

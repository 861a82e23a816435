"""What memory comes to: RSS, and what heap in use that was read from outside says of it.

What the program holds decides. RSS alone cannot tell it from what the allocator keeps for reuse, so where
the heap was read a climb of RSS is one of the run only if the heap leans to climbing, too. But RSS holds what
no heap does, so a flat heap clears RSS only where its growth is seen to be kept by the allocator; and that
growth is told with its own probability, because it can fill a container as well as a leak.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from soak.verdict.reason import Reason, ReasonKind
from soak.verdict.run_verdict import Confidence
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from soak.verdict.run_verdict import RunEvidence
    from soak.verdict.verdict import SeriesVerdict, Settling


@dataclass(frozen=True)
class MemoryFinding:
    """What memory comes to, before the counts beside it."""

    label: Label
    reasons: tuple[Reason, ...]
    """Why, most important first."""
    confidence: tuple[Confidence, ...]
    probability_climbing: float
    settling: Settling | None


def weigh_memory(evidence: RunEvidence) -> MemoryFinding:
    """Return what RSS and heap in use come to together; RSS alone, where no heap was read from outside."""
    memory, heap = evidence.memory, evidence.heap
    alone = MemoryFinding(
        memory.label,
        memory.reasons,
        (Confidence(memory, named=False),),
        memory.probability_climbing,
        memory.settling,
    )
    if heap is None or not evidence.heap_from_outside or not heap.reasons or evidence.failure is not None:
        return alone
    if heap.label is Label.CLIMBING:
        return MemoryFinding(
            Label.CLIMBING,
            (heap.reasons[0], *_settled(memory)),
            (Confidence(heap),),
            heap.probability_climbing,
            None,
        )
    if heap.label is Label.INCONCLUSIVE and _contradicts(heap, memory):
        return _both_told(heap, memory)
    if heap.label is Label.INCONCLUSIVE or memory.label is Label.PLATEAU:
        return _beside(alone, heap, memory)
    return _flat_beside_growth(alone, evidence, heap, memory)


def _beside(alone: MemoryFinding, heap: SeriesVerdict, memory: SeriesVerdict) -> MemoryFinding:
    """Say what heap in use comes to beside RSS, which decides here."""
    first, *others = memory.reasons
    return replace(alone, reasons=(first, heap.reasons[0], *others))


def _contradicts(undecided: SeriesVerdict, memory: SeriesVerdict) -> bool:
    """Tell whether a heap that is undecided leans away from what RSS says.

    While the heap grows RSS may be flat: what is kept fills free memory first. While RSS climbs the heap may
    be flat: then the allocator keeps what grew.
    """
    if memory.label is Label.PLATEAU:
        return undecided.leaning is Label.CLIMBING
    return memory.label is Label.CLIMBING and undecided.leaning is not Label.CLIMBING


def _both_told(heap: SeriesVerdict, memory: SeriesVerdict) -> MemoryFinding:
    """RSS says one thing, and the heap leans to another: nothing is proved, and both are told."""
    settling = tuple(reason for reason in heap.reasons if reason.kind is ReasonKind.SETTLING)
    return MemoryFinding(
        Label.INCONCLUSIVE,
        (heap.reasons[0], *settling, *memory.reasons),
        (Confidence(heap), Confidence(memory)),
        heap.probability_climbing,
        heap.settling,
    )


def _flat_beside_growth(
    alone: MemoryFinding, evidence: RunEvidence, heap: SeriesVerdict, memory: SeriesVerdict
) -> MemoryFinding:
    """Heap in use is flat and RSS is not: whose the growth is decides."""
    kept = None if evidence.attribution is None else evidence.attribution.kept_by_allocator
    if kept is False and memory.label is Label.CLIMBING:
        return _beside(alone, heap, memory)
    growth = memory.growth_per_connection or memory.growth_per_hour
    facts = {
        "flat": dict(heap.reasons[0].facts),
        "rss_verdict": str(memory.label),
        "rss_growth": growth.estimate,
        "rss_growth_per": "hour" if memory.growth_per_connection is None else "connection",
        "rss_probability_climbing": memory.probability_climbing,
        "kept_by_allocator": kept,
    }
    confidence = (Confidence(heap), Confidence(memory))
    first = Reason(ReasonKind.HEAP_DECIDES, facts)
    if kept:
        return MemoryFinding(
            Label.PLATEAU, (first, *_settled(memory)), confidence, heap.probability_climbing, None
        )
    return replace(
        alone,
        label=Label.INCONCLUSIVE,
        reasons=(first, *memory.reasons),
        confidence=confidence,
        settling=memory.as_much_again if memory.label is Label.CLIMBING else memory.settling,
    )


def _settled(memory: SeriesVerdict) -> tuple[Reason, ...]:
    """Return the reasons of RSS but what would settle it: that is settled."""
    return tuple(reason for reason in memory.reasons if reason.kind is not ReasonKind.SETTLING)

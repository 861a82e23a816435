"""What a whole run comes to: every verdict it rests on, and the one label they give together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.verdict.verdict import Label, leaning

if TYPE_CHECKING:
    from collections.abc import Mapping

    from soak.verdict.advice import Advice
    from soak.verdict.attribution import Attribution
    from soak.verdict.quantities import Quantity
    from soak.verdict.reason import Reason
    from soak.verdict.verdict import SeriesVerdict, Settling


@dataclass(frozen=True)
class Failure:
    """How the target failed."""

    reason: Reason
    died: bool
    """Whether it had run before: then it has shown no plateau, however flat its memory was."""


@dataclass(frozen=True, eq=False)
class RunEvidence:
    """What a run shows, each part judged by itself."""

    memory: SeriesVerdict
    """RSS, with swap where any was used."""
    heap: SeriesVerdict | None = None
    """Heap in use; None where it was not read, or where only the server says it and memory is flat by
    itself."""
    heap_from_outside: bool = False
    """Whether heap in use was read from outside, with Python's small objects and without what threads cache:
    then it decides. What a server says of its own heap is only weighed beside RSS."""
    resources: Mapping[Quantity, SeriesVerdict] | None = None
    """The counts (descriptors, threads, …), where they were recorded; None for none."""
    attribution: Attribution | None = None
    """Where the growth sits; None where the run did not record it."""
    failure: Failure | None = None
    """How the target failed; None if it did not."""
    final_look: Reason | None = None
    """Why a run until decided ended when it did; None for a run of planned length."""
    notes: tuple[Reason, ...] = ()
    """What must be known of the recording, told last."""


@dataclass(frozen=True)
class Confidence:
    """How sure one of the verdicts is that the run's rests on."""

    about: SeriesVerdict
    named: bool = True
    """Whether it must be said what it is about: not where memory alone speaks."""


@dataclass(frozen=True, eq=False)
class RunVerdict:
    """The judgement of a run."""

    label: Label
    """Plateau, climbing or inconclusive."""
    reasons: tuple[Reason, ...]
    """Why, most important first."""
    confidence: tuple[Confidence, ...]
    """Which verdicts it rests on, most important first."""
    evidence: RunEvidence
    """What it was made of, each part as it was judged by itself."""
    memory_label: Label
    """What memory comes to, with what heap in use says of it but without the counts."""
    probability_climbing: float
    """Of memory growing beyond the budget without end. Of a climb that is no leak because the allocator keeps
    what grew, it is that of heap in use."""
    settling: Settling | None
    """What would settle it; only where it is inconclusive, or memory is."""
    advice: Advice
    """Limits and thread numbers that follow from what was measured (JSON-serialisable)."""

    @property
    def memory(self) -> SeriesVerdict:
        """RSS, judged by itself."""
        return self.evidence.memory

    @property
    def heap(self) -> SeriesVerdict | None:
        """Heap in use, judged by itself."""
        return self.evidence.heap

    @property
    def resources(self) -> Mapping[Quantity, SeriesVerdict]:
        """The counts, each judged by itself, in the order they are told."""
        return self.evidence.resources or {}

    @property
    def attribution(self) -> Attribution | None:
        """Where the growth sits."""
        return self.evidence.attribution

    @property
    def leaning(self) -> Label:
        """What is likelier, were one to decide now; inconclusive where there was too little to weigh."""
        return leaning(self.probability_climbing)

    @property
    def climbing(self) -> tuple[Quantity, ...]:
        """The counts that climb, in the order they are told."""
        return tuple(name for name, one in self.resources.items() if one.label is Label.CLIMBING)

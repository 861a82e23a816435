"""What a recording's reading hides: a plateau that excludes less than it was read to is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from soak.verdict.reason import Reason, ReasonKind
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from soak.record.origin import Origin
    from soak.verdict.verdict import SeriesVerdict


def as_far_as_read(memory: SeriesVerdict, origin: Origin | None) -> SeriesVerdict:
    """Return the verdict, inconclusive where growth above the budget would not have shown in the reading.

    Between two equal readings memory may have grown by as much as it was read to.
    """
    if origin is None or memory.label is not Label.PLATEAU or origin.grain_bytes <= memory.budget_over_run:
        return memory
    facts = {
        "quantity": str(memory.quantity),
        "grain": origin.grain_bytes,
        "budget_over_run": memory.budget_over_run,
    }
    reason = Reason(ReasonKind.TOO_COARSE, facts)
    kept = memory.reasons[1:]
    return replace(memory, label=Label.INCONCLUSIVE, level=None, level_from_s=None, reasons=(reason, *kept))

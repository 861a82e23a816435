"""What a comparison with the baseline means for a check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.quantity import format_percent, is_known
from soak.studies.check.findings import Finding, Outcome
from soak.studies.compare.comparing import Change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from soak.studies.compare.comparing import Compared


def regressions(rows: Sequence[Compared], baseline: str) -> list[Finding]:
    """Return a finding for each figure: memory that is worse fails, speed is only told."""
    return [_finding(row, baseline) for row in rows]


def _finding(row: Compared, baseline: str) -> Finding:
    share = f", {format_percent(row.relative)}" if is_known(row.relative) else ""
    words = f"{row.words} {row.before} in {baseline}, {row.after} now: {row.written}{share}, {row.change}"
    outcome = Outcome.PASSED
    if row.change is Change.UNKNOWN:
        outcome = Outcome.SKIPPED
    elif row.change is Change.WORSE:
        outcome = Outcome.FAILED if row.is_memory else Outcome.PASSED
        if not row.is_memory:
            words += " (told, not judged: speed on a shared machine is not steady)"
    return Finding(f"baseline-{row.name}", outcome, words)

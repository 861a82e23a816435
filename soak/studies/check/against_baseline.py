"""A check's run against the baseline: what differs, and what that means for the check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.quantity import MISSING, format_percent, is_known
from soak.studies.check.findings import Finding, Outcome
from soak.studies.compare import DEFAULT_TOLERANCE
from soak.studies.compare.comparing import Change, compare
from soak.studies.compare.side import Side, differences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from soak.record import Run
    from soak.studies.compare.comparing import Compared
    from soak.verdict.run_verdict import RunVerdict


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What a check compares its run with, and how strictly."""

    side: Side
    name: str
    """As findings call it."""
    tolerance: float = DEFAULT_TOLERANCE
    """Share of the baseline's memory by which a change may raise it."""
    allow_unlike: bool = False
    """Whether model, threads, load and machine may differ."""

    def judge(self, run: Run, verdict: RunVerdict) -> tuple[list[Compared], list[Finding]]:
        """Return every figure of `run` against the baseline's, and what follows for the check.

        A baseline of something else is not compared: no pass, but what else was found is not hidden by it
        either.
        """
        after = Side.of_run(run, verdict)
        unlike = differences(self.side, after)
        if unlike and not self.allow_unlike:
            return [], [_not_compared(unlike)]
        compared = compare(self.side, after, tolerance=self.tolerance)
        return compared, regressions(compared, self.name)


def regressions(rows: Sequence[Compared], baseline: str) -> list[Finding]:
    """Return a finding for each figure: memory that is worse fails, speed is only told.

    A figure of memory that only one side knows is undecided, and so is a comparison in which no figure of
    memory is known to both: it says nothing, which is no pass.
    """
    found = [_finding(row, baseline) for row in rows]
    if not any(row.is_memory and row.change is not Change.UNKNOWN for row in rows):
        words = f"{baseline} and this run have no figure of memory in common: nothing was compared"
        found.append(Finding("baseline", Outcome.UNDECIDED, words))
    return found


def _finding(row: Compared, baseline: str) -> Finding:
    share = f", {format_percent(row.relative)}" if is_known(row.relative) else ""
    words = f"{row.words} {row.before} in {baseline}, {row.after} now: {row.written}{share}, {row.change}"
    outcome = Outcome.PASSED
    if row.change is Change.UNKNOWN:
        on_neither_side = row.before == row.after == MISSING
        outcome = Outcome.SKIPPED if on_neither_side or not row.is_memory else Outcome.UNDECIDED
    elif row.change is Change.WORSE:
        outcome = Outcome.FAILED if row.is_memory else Outcome.PASSED
        if not row.is_memory:
            words += " (told, not judged: speed on a shared machine is not steady)"
    return Finding(f"baseline-{row.name}", outcome, words)


def _not_compared(unlike: Sequence[str]) -> Finding:
    more = f" (and {len(unlike) - 1} more)" if len(unlike) > 1 else ""
    return Finding(
        "baseline",
        Outcome.UNDECIDED,
        f"not compared, the baseline is of something else: {unlike[0]}{more}. --allow-unlike compares them "
        "all the same",
    )

"""What a check found, one judged thing at a time, and what they come to together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from soak.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence


class Outcome(StrEnum):
    """How one judged thing came out."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    """Neither proved good nor proved bad: no pass, unless undecided ones are allowed."""
    SKIPPED = "skipped"
    """Not recorded in this run, so not judged."""


SIGNS = {Outcome.PASSED: "✓", Outcome.FAILED: "✗", Outcome.UNDECIDED: "?", Outcome.SKIPPED: "–"}
"""An outcome as a shape, for whoever does not see colours."""


@dataclass(frozen=True)
class Finding:
    """One judged thing."""

    name: str
    """Stable and short, as `max-rss`: CI systems follow it from run to run."""
    outcome: Outcome
    message: str
    """What was measured against what, in one sentence."""


def check_exit_code(
    findings: Sequence[Finding], judged: ExitCode, *, allow_inconclusive: bool = False
) -> ExitCode:
    """Return the exit code of a check from its findings and that of the run (`Judgement.exit_code`).

    A failed target and an interruption speak first, then whatever failed, then what is undecided.
    """
    if judged in {ExitCode.TARGET_FAILED, ExitCode.INTERRUPTED, ExitCode.USAGE}:
        return judged
    outcomes = {finding.outcome for finding in findings}
    if Outcome.FAILED in outcomes:
        return ExitCode.CLIMBING
    if Outcome.UNDECIDED in outcomes and not allow_inconclusive:
        return ExitCode.INCONCLUSIVE
    return ExitCode.PLATEAU

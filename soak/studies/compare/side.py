"""One side of a comparison: runs that are alike, and their figures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from soak.errors import SoakError
from soak.studies.compare.identity import identity_of, unlike, versions_of
from soak.studies.compare.run_figures import RunFigures

if TYPE_CHECKING:
    from soak.record import Run
    from soak.verdict.run_verdict import RunVerdict


@dataclass(frozen=True)
class Side:
    """Runs that are alike, by one name."""

    name: str
    identity: dict[str, str]
    """What must be equal for a comparison to mean anything, in words: model, threads, scenario, machine."""
    versions: dict[str, str]
    """What may well be the change that is looked at: package versions, kernel, processor."""
    runs: tuple[RunFigures, ...]

    @classmethod
    def of_run(cls, run: Run, verdict: RunVerdict) -> Self:
        """Return the side of a single run that has been judged."""
        return cls(run.name, identity_of(run), versions_of(run), (RunFigures.of(run, verdict),))

    def named(self, name: str) -> Side:
        """Return this side by another name."""
        return replace(self, name=name)

    def merged(self, other: Side) -> Side:
        """Return this side with the runs of `other`; raises `SoakError` when they are not alike."""
        unlike = differences(self, other)
        if unlike:
            raise SoakError(
                f"{other.runs[0].run} and {self.runs[0].run} cannot be repeats of one thing: {unlike[0]}"
            )
        return replace(self, runs=(*self.runs, *other.runs))


def differences(left: Side, right: Side) -> list[str]:
    """Say in what the two are unlike, one sentence each; nothing when they may be compared."""
    return unlike(left.identity, right.identity)

"""Is the engine tuned to the families it was tuned on? Fit its weights without one, then judge that one.

For each family the weights of the figures are fitted to the tuning part of all others, and judge the family's
traces in the test part, of which no weights have seen any.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.verdict.fit import fit
from benchmarks.verdict.scoring import score

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.verdict.examples import Example
    from benchmarks.verdict.scoring import Answer, Score
    from soak.analyse.posterior.weighing import Weights


@dataclass(frozen=True)
class LeftOut:
    """What became of one family."""

    family: str
    """The family left out."""
    score: Score
    """Of weights fitted without it, on the family's traces in the test part."""
    in_use: Score
    """Of the weights in use, on the same traces."""


@dataclass(frozen=True)
class LeaveOneOut:
    """Every family left out in turn."""

    families: tuple[LeftOut, ...]
    """By name."""
    score: Score
    """Over all families, each judged by weights fitted without it."""
    in_use: Score
    """Over all, judged by the weights in use."""


def fit_without(examples: Sequence[Example], families: Iterable[str]) -> dict[str, Weights]:
    """Return for each family the weights fitted to the examples of all others."""
    return {family: fit([e for e in examples if e.family != family]) for family in families}


def score_left_out(without: Sequence[Answer], in_use: Sequence[Answer]) -> LeaveOneOut:
    """Score each family; `without` holds each trace's answer by weights that know nothing of its family."""
    left_out = tuple(
        LeftOut(
            family,
            score([a for a in without if a.family == family]),
            score([a for a in in_use if a.family == family]),
        )
        for family in sorted({a.family for a in without})
    )
    return LeaveOneOut(left_out, score(without), score(in_use))

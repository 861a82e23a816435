"""Which traces are asked about: what is sent to a worker is their names, and it makes or reads them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from benchmarks.verdict.judging import SOAK, Question, ask
from benchmarks.verdict.recorded import FAMILY, read_recorded, recorded_names
from benchmarks.verdict.trace import make_trace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.verdict.draw import Part as MadePart
    from benchmarks.verdict.scoring import Answer
    from benchmarks.verdict.trace import Trace
    from soak.analyse.posterior.weighing import Weights


class Part(StrEnum):
    """Where traces come from."""

    TEST = "test"
    TUNING = "tuning"
    REAL = "real"


@dataclass(frozen=True)
class Which:
    """One trace, by what makes it."""

    part: Part
    family: str
    index: int

    def get(self) -> Trace:
        """Make it, or read it."""
        if self.part is Part.REAL:
            return read_recorded(recorded_names()[self.index])
        return make_trace(cast("MadePart", self.part.value), self.family, self.index)


def wanted(part: Part, families: Sequence[str], count: int) -> list[Which]:
    """List `count` traces of each family, or every recorded run."""
    if part is Part.REAL:
        return [Which(part, FAMILY, index) for index in range(len(recorded_names()))]
    return [Which(part, family, index) for index in range(count) for family in families]


def ask_one(which: Which, *, rules: tuple[str, ...], timed: int) -> list[Answer]:
    """Ask the rules about one trace; the first `timed` of each family are timed, too."""
    return ask(which.get(), question=Question(rules, timed=which.index < timed))


def ask_without_family(which: Which, *, weights: Mapping[str, Weights]) -> list[Answer]:
    """Ask soak about one trace with the weights that were fitted without its family."""
    return ask(which.get(), question=Question((SOAK,), timed=False, weights=weights[which.family]))

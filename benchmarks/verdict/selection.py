"""Which traces are asked about: what is sent to a worker is their names, and it makes or reads them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, cast

import numpy as np

from benchmarks.verdict.frozen.heaps import frozen_heap
from benchmarks.verdict.frozen.machines import frozen_machine
from benchmarks.verdict.frozen.synthetic import frozen_trace
from benchmarks.verdict.learned_world import learned_trace
from benchmarks.verdict.recorded import read_recorded, read_recorded_heap, recorded_names
from benchmarks.verdict.trace import FAMILIES, make_trace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.verdict.draw import Part as MadePart
    from benchmarks.verdict.trace import Trace


class Part(StrEnum):
    """Where traces come from."""

    FROZEN = "frozen"
    MACHINES = "machines"
    HEAPS = "heaps"
    REAL = "real"
    REAL_HEAPS = "real-heaps"
    TEST = "test"
    TUNING = "tuning"
    WORLD = "world"


NUMBERED: dict[Part, tuple[Callable[[int], Trace], int]] = {
    Part.FROZEN: (frozen_trace, 400),
    Part.MACHINES: (frozen_machine, 218),
    Part.HEAPS: (frozen_heap, 120),
    Part.WORLD: (learned_trace, 200),
}
"""Parts whose traces are made by their number alone, and how many there are by default."""
PER_FAMILY = 10
"""Traces of each family of the parts "test" and "tuning"."""
RECORDED = {Part.REAL: read_recorded, Part.REAL_HEAPS: read_recorded_heap}
"""Parts that are recorded runs: resident memory, and heap in use where it was read."""
QUOTED = (Part.FROZEN, Part.MACHINES, Part.HEAPS, Part.REAL, Part.REAL_HEAPS, Part.TEST)
"""Parts that nothing was trained on or chosen by."""


@dataclass(frozen=True)
class Which:
    """One trace, by what makes it."""

    part: Part
    name: str
    """Its own if it is recorded, else its family's; "" where the number alone makes it."""
    index: int
    timed: bool = False
    """Whether the rules are asked about its beginnings, too."""

    def get(self) -> Trace:
        """Make it, or read it."""
        if self.part in NUMBERED:
            return NUMBERED[self.part][0](self.index)
        if self.part not in RECORDED:
            return make_trace(cast("MadePart", self.part.value), self.name, self.index)
        trace = RECORDED[self.part](self.name)
        if trace is None:
            raise ValueError(f"{self.name} has no reading of the heap")
        return trace


def wanted(
    part: Part, *, families: Sequence[str] = tuple(FAMILIES), count: int | None = None, timed: int = 0
) -> list[Which]:
    """List the traces of a part: `count` of each family where there are families, else `count` in all.

    None takes the part's default; recorded runs are always all. `timed` of them, drawn once and for all, are
    timed, too.
    """
    if part in RECORDED:
        read = (
            name for name in recorded_names() if part is Part.REAL or read_recorded_heap(name) is not None
        )
        listed = [Which(part, name, index) for index, name in enumerate(read)]
    elif part in NUMBERED:
        listed = [Which(part, "", index) for index in range(count or NUMBERED[part][1])]
    else:
        listed = [Which(part, family, index) for index in range(count or PER_FAMILY) for family in families]
    drawn = set(np.random.default_rng(0).permutation(len(listed))[:timed].tolist())
    return [replace(which, timed=at in drawn) for at, which in enumerate(listed)]

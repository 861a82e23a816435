"""Which stacks hold ever more: those whose bytes in use climb over the quiet windows, the worst first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.studies.profile.frames import own_part, site_index
from soak.studies.profile.judged import BUDGET_SHARE, LEAST_BUDGET_BYTES, Growth, judged
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from soak.studies.profile.frames import Frame, Stack
    from soak.studies.profile.heap_course import HeapCourse

FEWEST_MOMENTS = 5
"""Below, nothing is judged."""
JUDGED_STACKS = 15
"""Stacks that are judged, those that grew most; more than five are not shown."""
LABEL_ORDER = {Label.CLIMBING: 0, Label.INCONCLUSIVE: 1, Label.PLATEAU: 2}


@dataclass(frozen=True, eq=False)
class Culprit:
    """One allocation stack, and how its bytes in use went."""

    stack: Stack
    """Of its variants, which differ in library calls only, the one that grew most."""
    in_use_bytes: NDArray[np.float64]
    """At every moment of the course, all variants together."""
    growth: Growth
    share: float
    """Of everything that grew, from the first moment to the last."""

    @property
    def site(self) -> Frame:
        """The innermost call that is the program's own."""
        return self.stack[site_index(self.stack)]

    @property
    def callers(self) -> Stack:
        """What led to the site, from its caller outwards."""
        return self.stack[site_index(self.stack) + 1 :]

    @property
    def gained_bytes(self) -> float:
        """Growth from the first moment to the last."""
        return float(self.in_use_bytes[-1] - self.in_use_bytes[0])

    @property
    def climbs(self) -> bool:
        """Whether the judge calls it climbing."""
        return self.growth.label is Label.CLIMBING


def culprits(course: HeapCourse, most: int = JUDGED_STACKS) -> list[Culprit]:
    """Return the `most` stacks that grew most, judged: those that climb first, by growth.

    Stacks that explain nothing of the growth are left out. Empty where there are too few moments to judge.
    """
    if course.t_s.size < FEWEST_MOMENTS:
        return []
    merged = _merged(course.bytes_by_stack)
    grown = sum(max(gained(each), 0.0) for _, each in merged)
    budget_bytes = max(BUDGET_SHARE * grown, LEAST_BUDGET_BYTES)
    largest = sorted(merged, key=lambda item: gained(item[1]), reverse=True)[:most]
    found = [
        Culprit(
            stack,
            in_use,
            judged(course.t_s, in_use, course.connections, budget_bytes=budget_bytes),
            gained(in_use) / grown,
        )
        for stack, in_use in largest
        if gained(in_use) > budget_bytes
    ]
    return sorted(found, key=lambda each: (LABEL_ORDER[each.growth.label], -each.gained_bytes))


def gained(in_use_bytes: NDArray[np.float64]) -> float:
    """Return the growth from the first moment to the last."""
    return float(in_use_bytes[-1] - in_use_bytes[0])


def _merged(
    by_stack: Mapping[Stack, NDArray[np.float64]],
) -> list[tuple[Stack, NDArray[np.float64]]]:
    """Join stacks that differ in the calls of libraries only."""
    found: dict[Stack, tuple[float, Stack, NDArray[np.float64]]] = {}
    for stack, in_use in by_stack.items():
        key = own_part(stack)
        before = found.get(key)
        if before is None:
            found[key] = (gained(in_use), stack, in_use)
        else:
            largest = max(before[:2], (gained(in_use), stack), key=lambda each: each[0])
            found[key] = (*largest, before[2] + in_use)
    return [(stack, in_use) for _, stack, in_use in found.values()]

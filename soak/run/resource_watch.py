"""Which resources besides memory climb while a run goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.analyse.counts import judge_counts
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from soak.analyse import Series
    from soak.analyse.sequential import Look
    from soak.verdict.quantities import Quantity
    from soak.verdict.verdict import SeriesVerdict


class ResourceWatch:
    """Judges descriptors, threads, sockets and live sessions whenever memory is looked at.

    A climb stands when as many looks in a row agree on it as are asked of one of memory.
    """

    def __init__(self, looks_to_climb: int) -> None:
        """Begin a run; `looks_to_climb` is how many looks in a row must agree."""
        self._looks_to_climb = looks_to_climb
        self._agreeing: dict[Quantity, int] = {}

    def look(
        self, counts: Mapping[str, NDArray[np.float64]], beside: Series, memory: Look
    ) -> dict[Quantity, SeriesVerdict]:
        """Judge the counts with what the look at memory was given; return those whose climb stands.

        They are by column, in the order they are told. `beside` is the memory and the load at the same times.
        """
        found = judge_counts(
            counts, beside, since_s=memory.verdict.last_life_began_s, settings=memory.settings
        )
        climbing = {name: one for name, one in found.items() if one.label is Label.CLIMBING}
        self._agreeing = {name: self._agreeing.get(name, 0) + 1 for name in climbing}
        return {name: one for name, one in climbing.items() if self._agreeing[name] >= self._looks_to_climb}

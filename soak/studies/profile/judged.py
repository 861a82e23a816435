"""The product's judge, asked about bytes in use at single moments instead of RSS at every second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse import JudgeSettings, Series, judge_series
from soak.verdict.quantities import Quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.verdict.verdict import Estimate, Label

ROUNDING_BYTES = 16.0
"""What malloc rounds to; RSS is counted in pages."""
BUDGET_SHARE = 0.003
"""Of the growth of the whole heap that a stack may add and still count as flat: it explains nothing then."""
LEAST_BUDGET_BYTES = 512.0
"""And in any case: a list that grew once."""
CONFIDENCE = JudgeSettings().confidence
"""A stack is judged as sure as a run is by default."""
REST = "rest"


@dataclass(frozen=True)
class Growth:
    """What the judge found of one series."""

    label: Label
    per_connection: Estimate | None
    """Bytes; None where too little was seen."""
    per_hour: Estimate
    """Bytes."""


def judged(
    t_s: NDArray[np.float64],
    in_use_bytes: NDArray[np.float64],
    connections: NDArray[np.float64],
    *,
    budget_bytes: float | None = None,
) -> Growth:
    """Judge the bytes in use at the end of each quiet window.

    `budget_bytes` is the growth over the run that is accepted; None leaves it at the judge's share of the
    level.
    """
    settings = JudgeSettings(confidence=CONFIDENCE, grain_bytes=ROUNDING_BYTES, max_restarts=0)
    series = Series(
        t_s=t_s,
        values=in_use_bytes + ROUNDING_BYTES,  # to the judge a reading of zero is a gap
        connections_completed=connections,
        phase=np.full(t_s.size, REST),
        quantity=Quantity.HEAP,
    )
    found = judge_series(series, settings, budget_over_run=budget_bytes)
    return Growth(found.label, found.growth_per_connection, found.growth_per_hour)

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

SHORTEST_S = 15.0
"""A profile knows what is in use to the byte, so that it needs no minute to come to rest."""
FEWEST_CONNECTIONS = 20.0
ROUNDING_BYTES = 16.0
"""What malloc rounds to; RSS is counted in pages."""
BUDGET_SHARE = 0.003
"""Of the growth of the whole heap that a stack may add and still count as flat: it explains nothing then."""
LEAST_BUDGET_BYTES = 512.0
"""And in any case: a list that grew once."""
BETWEEN = "load"
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
    level. Every moment stands for a window of its own: between two of them a reading under load, which is not
    judged, keeps them apart.
    """
    settings = JudgeSettings(
        min_duration_s=SHORTEST_S,
        min_connections=FEWEST_CONNECTIONS,
        page_bytes=ROUNDING_BYTES,
        max_restarts=0,
    )
    series = Series(
        t_s=_with_between(t_s),
        values=_with_between(in_use_bytes + ROUNDING_BYTES),  # to the judge a reading of zero is a gap
        connections_completed=_with_between(connections),
        phase=np.array([REST, *([BETWEEN, REST] * (t_s.size - 1))]),
        quantity=Quantity.HEAP,
    )
    found = judge_series(series, settings, budget_over_run=budget_bytes)
    return Growth(found.label, found.growth_per_connection, found.growth_per_hour)


def _with_between(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values with the mean of its neighbours between every two."""
    woven = np.empty(2 * values.size - 1)
    woven[::2] = values
    woven[1::2] = (values[1:] + values[:-1]) / 2.0
    return woven

"""Fresh traces of the world that the judge learned from: what it says of them tells how well it learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.verdict.trace import Trace
from soak.analyse import Series
from soak.learn.world import example
from soak.learn.world.process import Axis
from soak.verdict.quantities import Quantity

if TYPE_CHECKING:
    from soak.learn.world import Example

SEED = 719
"""Training has another: no trace here was learned from."""
BUDGET_SHARE = 0.0025
"""The default budget, as a share of the level over the run."""
CLEARLY_BEYOND = 4.0
"""A leak that adds fewer budgets is neither healthy nor a leak, and is drawn again."""
HEAP_GRAIN, LEAST_GRAIN = 16.0, 1024.0
"""Bytes. What is rounded to less than a kilobyte is heap in use where it is rounded as malloc does, else a
count, which has no default budget and is drawn again."""


def learned_trace(number: int) -> Trace:
    """Make one trace; the same for the same number."""
    attempt = 0
    while True:
        made = example((SEED, number, attempt))
        if _clear(made):
            return _trace(made, number)
        attempt += 1


def _clear(made: Example) -> bool:
    grain, values = made.recorded.grain, made.recorded.values
    budget = BUDGET_SHARE * float(np.median(values))
    told = grain >= LEAST_GRAIN or grain == HEAP_GRAIN
    return told and values.size >= 3 and (made.growth == 0 or made.growth >= CLEARLY_BEYOND * budget)


def _trace(made: Example, number: int) -> Trace:
    recorded = made.recorded
    leaking = made.growth > 0
    connections = recorded.connections
    by_connection = made.axis is Axis.CONNECTIONS and connections is not None
    per_connection = None
    if by_connection and connections is not None and float(np.ptp(connections)) > 0:
        per_connection = made.growth / float(np.ptp(connections))
    series = Series(
        recorded.t_s,
        recorded.values,
        connections_completed=connections,
        open_connections=recorded.open,
        phase=np.where(recorded.at_rest, "rest", "load") if recorded.at_rest.any() else None,
        quantity=Quantity.HEAP if recorded.grain == HEAP_GRAIN else Quantity.MEMORY,
    )
    return Trace(
        f"world/{number:04d}",
        "leak" if leaking else "none",
        leaking,
        series,
        growth_bytes_per_hour=made.growth / float(recorded.t_s[-1]) * 3600,
        growth_bytes_per_connection=per_connection if leaking else None,
        level_bytes=float(np.median(recorded.values)),
    )

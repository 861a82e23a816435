"""Blocks of load with quiet windows between them: pure logic, the clock's value is handed in.

Memory is judged by its floors, read when all connections are closed and the server's delayed free is over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from soak.load.plan import LoadPlan

BLOCKS_PER_RUN = 16
"""Blocks in a run that is limited by connections: enough floors for a trend, few enough rests to wait for."""
PERIODS_PER_RUN = 24
"""Blocks with their rests in a run that is limited by time; a day then has one an hour before the bounds."""
SHORTEST_PERIOD_S, LONGEST_PERIOD_S = 20.0, 300.0
"""Bounds of a block with its rest: mostly load in a short run, many floors in a long one."""
SHORTEST_BLOCK_S = 3.0
"""A block has some load in it, whatever the plan."""


def block_length_s(plan: LoadPlan, rate_per_s: float | None) -> float:
    """Return how long to put on load between two rests, in seconds.

    `rate_per_s` is the arrival rate, or the throughput of a closed loop; None, where it is not known, is only
    right for a plan that sets `block_s` or is limited by time.
    """
    if plan.block_s is not None:
        return plan.block_s
    shortest_s, connections_s = SHORTEST_BLOCK_S, math.inf
    if rate_per_s is not None:
        shortest_s = max(SHORTEST_BLOCK_S, plan.group / rate_per_s)
        connections_s = math.inf if plan.connections is None else plan.connections / rate_per_s
    duration_s = math.inf if plan.duration_s is None else plan.duration_s
    if connections_s < duration_s:
        return max(shortest_s, connections_s / BLOCKS_PER_RUN)
    period_s = min(LONGEST_PERIOD_S, max(SHORTEST_PERIOD_S, duration_s / PERIODS_PER_RUN))
    return max(shortest_s, period_s - plan.settle_s - plan.rest_s)


@dataclass(frozen=True)
class BlockSchedule:
    """Where blocks of load begin and end so that the last rest ends with the run."""

    block_s: float
    quiet_s: float
    """Settle and rest together."""
    run_ends_at_s: float | None
    """Clock value at which the run is over; None without a time limit."""

    def load_ends_at_s(self, now_s: float, drain_s: float) -> float:
        """Return when a block that starts now stops taking connections.

        `drain_s` is what the longest drain so far took. A remainder too short for a block of its own goes to
        this one.
        """
        planned_s = now_s + self.block_s
        if self.run_ends_at_s is None:
            return planned_s
        latest_s = self.run_ends_at_s - self.quiet_s - drain_s
        next_block_s = latest_s - (planned_s + drain_s + self.quiet_s)
        return planned_s if next_block_s >= self.block_s / 2 else max(now_s, latest_s)

    def has_time_for_block(self, now_s: float, drain_s: float) -> bool:
        """Whether a block of some length and its rest still fit into the run."""
        if self.run_ends_at_s is None:
            return True
        return self.run_ends_at_s - self.quiet_s - drain_s - now_s >= min(self.block_s / 2, SHORTEST_BLOCK_S)

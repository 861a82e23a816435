"""Blocks of load with quiet windows between them: pure logic, the clock's value is handed in.

Memory is judged by its floors, read when all connections are closed and the server's delayed free is over.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from soak.load.plan import LoadPlan

BLOCKS_PER_RUN = 16
"""Blocks in a run that is limited by connections: enough floors for a trend, few enough rests to wait for."""
PERIODS_PER_RUN = 24
"""Blocks with their rests in a run that is limited by time; a day then has one an hour before the bounds."""
SHORTEST_PERIOD_S, LONGEST_PERIOD_S = 20.0, 240.0
"""Bounds of a block with its rest: mostly load in a short run, many floors in a long one. A run of a day has
fifteen in its first hour, enough for a leak to be called one there (ten) and again at the next look."""
LONGEST_PERIOD_UNTIL_DECIDED_S = 60.0
"""The same for a run that ends when it is decided: a trend wants some ten floors, which then take ten minutes
at most however long the run may last, and six sevenths of the time are still load."""
PERIODS_UNTIL_DECIDED = 240
"""Blocks with their rests, before the bounds, that the longest such run would have: it can be decided after a
twentieth of that."""
FEWEST_BLOCKS = 10
"""A trend wants so many floors; blocks are made longer than planned only where that many remain."""
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
    if plan.until_decided:
        lasting_s = min(connections_s, duration_s)
        period_s = max(SHORTEST_PERIOD_S, lasting_s / PERIODS_UNTIL_DECIDED)
        return max(shortest_s, min(LONGEST_PERIOD_UNTIL_DECIDED_S, period_s) - plan.settle_s - plan.rest_s)
    if connections_s < duration_s:
        return max(shortest_s, connections_s / BLOCKS_PER_RUN)
    period_s = min(LONGEST_PERIOD_S, max(SHORTEST_PERIOD_S, duration_s / PERIODS_PER_RUN))
    return max(shortest_s, period_s - plan.settle_s - plan.rest_s)


def block_connections(plan: LoadPlan, rate_per_s: float, clips: int) -> int:
    """Return how many connections each block makes.

    It is a number of whole rounds of the `clips` recordings, or with groups at least one round, wherever that
    leaves the run enough blocks: a server keeps what its last inputs left behind, so the floors after blocks
    that end with different recordings differ, by more than a small leak (0.3 MiB was seen on the bundled
    server). Groups are never split.
    """
    wanted = rate_per_s * block_length_s(plan, rate_per_s)
    unit = clips if plan.group == 1 else plan.group
    rounds = max(round(wanted / unit), math.ceil(clips / unit)) * unit
    connections = math.inf if plan.connections is None else plan.connections
    period_s = rounds / rate_per_s + plan.settle_s + plan.rest_s
    lasting_s = math.inf if plan.duration_s is None else plan.duration_s
    if min(connections / rounds, lasting_s / period_s) >= FEWEST_BLOCKS:
        return rounds
    return max(1, round(wanted / plan.group)) * plan.group


class BlockSchedule:
    """Hands out blocks of one size until the connections or the time run out.

    Blocks are alike so that the floors after them can be compared. A remainder of the connections goes to the
    first block, which is part of the warm-up anyway.
    """

    def __init__(
        self, *, size: int, load_s: float, quiet_s: float, left: int | None, run_ends_at_s: float | None
    ) -> None:
        """Plan blocks of `size` connections, arriving over `load_s`, each followed by `quiet_s` of rest.

        `left` connections are to be made in all (None: without end), before `run_ends_at_s` on the clock.
        """
        self._size = size
        self._load_s = load_s
        self._quiet_s = quiet_s
        self._run_ends_at_s = run_ends_at_s
        self._first = True
        whole_blocks, remainder = (1, 0) if left is None else divmod(left, size)
        # a handful is not worth a rest of its own
        joined = whole_blocks > 0 and remainder < size / 2
        self._first_size = remainder + (size if joined else 0)

    def next_size(self, now_s: float, left: int, drain_s: float) -> int:
        """Return how many connections the next block makes; 0 when the run is over.

        `drain_s` is what the longest drain so far took. The first block is never refused: a run too short for
        its plan still has one.
        """
        if left <= 0:
            return 0
        if self._first:
            self._first = False
            return min(self._first_size, left)
        if self._run_ends_at_s is not None:
            needed_s = self._load_s + drain_s + self._quiet_s
            if now_s + needed_s > self._run_ends_at_s:
                return 0
        return min(self._size, left)

    def load_must_end_at_s(self, now_s: float, drain_s: float) -> float:
        """Return when a block has to stop, all connections made or not (infinite without a limit).

        Only a server slower than the arrival rate, or a run too short for one block, comes to that.
        """
        if self._run_ends_at_s is None:
            return math.inf
        return max(now_s, self._run_ends_at_s - self._quiet_s - drain_s)

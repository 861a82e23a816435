"""When to sample: pure arithmetic on clock readings."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Tick:
    """One instant of the schedule."""

    index: int
    """Number since the start."""
    due_s: float
    """When it was due, on the caller's clock."""
    missed: int
    """How many instants before it had passed unserved."""


class FixedSchedule:
    """Instants `start + k * interval`: no drift, however late one of them is served."""

    def __init__(self, start_s: float, interval_s: float) -> None:
        """Begin at `start_s` of a monotonic clock; raises `ValueError` unless the interval is positive."""
        if not interval_s > 0:
            raise ValueError(f"the sampling interval must be above 0 s, not {interval_s}")
        self._start_s = start_s
        self._interval_s = interval_s
        self._next_index = 0

    def next_due_s(self) -> float:
        """Return when the next instant is due."""
        return self._start_s + self._next_index * self._interval_s

    def take(self, now_s: float) -> Tick:
        """Serve the newest instant that is due at `now_s`; those before it count as missed.

        Called early, it serves the next one.
        """
        newest = math.floor((now_s - self._start_s) / self._interval_s)
        index = max(self._next_index, newest)
        tick = Tick(index, self._start_s + index * self._interval_s, index - self._next_index)
        self._next_index = index + 1
        return tick


class TimeBudget:
    """Rations a costly reading, so that it takes at most a share of the time that passes.

    Reading `/proc/P/smaps` holds the memory map's lock of the target for about 10 ms per GB of RSS;
    after one that took `c` seconds, the next is allowed `c / share` seconds later, and not before
    `at_least_every_s`.
    """

    def __init__(self, *, share: float, at_least_every_s: float) -> None:
        """Allow the first reading at once."""
        self._share = share
        self._at_least_every_s = at_least_every_s
        self.allowed_at_s = -math.inf
        """From when on the next reading may begin, on the caller's clock."""

    def allows(self, now_s: float) -> bool:
        """Return whether a reading may begin now."""
        return now_s >= self.allowed_at_s

    def spent(self, began_s: float, ended_s: float) -> None:
        """Account for a reading that has just ended."""
        pause_s = max(self._at_least_every_s, (ended_s - began_s) / self._share)
        self.allowed_at_s = began_s + pause_s

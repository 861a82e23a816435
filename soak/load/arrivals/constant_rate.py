"""Arrivals at a constant rate, one by one or in groups.

It is the default, because in a closed loop the server's own speed sets the rate, and what a server retains
follows rate times the delay of its clean-up: a change of throughput then looks like a leak.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from soak.load.arrivals.process import ArrivalProcess, Arrivals
from soak.plugins import OptionError

if TYPE_CHECKING:
    from soak.load.arrivals.process import Intensity

UTILISATION = 0.5
"""A rate that is measured is this share of the throughput: load without a queue, so that memory follows the
connections and not the backlog."""
_RATE_SERIES = (7.0, 5.0, 3.0, 2.0, 1.5, 1.0)


@dataclass(frozen=True)
class ConstantRate(Arrivals):
    """`group` connections together, every `group / rate_per_s` seconds."""

    name: ClassVar[str] = "rate"

    def check(self, intensity: Intensity) -> None:
        """See `Arrivals`."""
        if intensity.group > intensity.max_open:
            raise OptionError(
                f"group ({intensity.group}) is above load.max_open ({intensity.max_open}): "
                "it could never start"
            )

    def planned_rate_per_s(self, intensity: Intensity) -> float | None:
        """See `Arrivals`."""
        return intensity.rate_per_s

    def measured_rate_per_s(self, intensity: Intensity, throughput_per_s: float) -> float:
        """See `Arrivals`."""
        return round_down_rate(min(intensity.max_rate_per_s, UTILISATION * throughput_per_s))

    def begin(self, intensity: Intensity, rate_per_s: float, start_s: float) -> ArrivalSchedule:
        """See `Arrivals`."""
        return ArrivalSchedule(rate_per_s, intensity.group, start_s)


class ArrivalSchedule(ArrivalProcess):
    """Groups of connections due on a fixed grid of times, with room for them or not.

    Due times are multiples of the period counted from the start, so they never drift. A group that finds too
    little room waits and starts when there is room for all of it; grid points that pass meanwhile are
    skipped, so that a slow server meets no backlog when it recovers.
    """

    def __init__(self, rate_per_s: float, group: int, start_s: float) -> None:
        """Put the first group at `start_s`, and one every `group / rate_per_s` seconds after it."""
        self.period_s = group / rate_per_s
        self._group = group
        self._start_s = start_s
        self._next = 0
        self._waiting = False

    @property
    def due_s(self) -> float:
        """When the next group is due, or was due if it waits for room."""
        return self._start_s + self._next * self.period_s

    def arrivals(self, now_s: float, room: int) -> int:
        """Return how many connections to start now: a whole group or none."""
        if now_s < self.due_s:
            return 0
        if room < self._group:
            if not self._waiting:
                self._waiting = True
                self.arrivals_delayed += self._group
            return 0
        self._waiting = False
        passed = math.floor((now_s - self._start_s) / self.period_s)
        self._next = max(self._next, passed) + 1
        return self._group

    def wait_s(self, now_s: float) -> float | None:
        """Return the time to the next group, or None while a group waits for room."""
        return None if self._waiting else max(0.0, self.due_s - now_s)


def round_down_rate(rate_per_s: float) -> float:
    """Return the largest of 1, 1.5, 2, 3, 5, 7 times a power of ten that is not above the rate (above 0).

    A calibrated rate lands on few values, so that runs on one machine can be compared.
    """
    decade = 10.0 ** math.floor(math.log10(rate_per_s))
    # a whisker of tolerance: 0.3 / 0.1 is not quite 3
    step = next((step for step in _RATE_SERIES if step * decade <= rate_per_s * (1 + 1e-9)), 1.0)
    return float(f"{step * decade:.2g}")

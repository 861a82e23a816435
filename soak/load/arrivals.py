"""When connections arrive: pure logic, the clock's value is handed in.

A fixed arrival rate is the default because in a closed loop the server's own speed sets the rate, and what a
server retains follows rate times the delay of its clean-up: a change of throughput then looks like a leak.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from soak.load.plan import ClipOrder

_RATE_SERIES = (7.0, 5.0, 3.0, 2.0, 1.5, 1.0)
_FIRST_RETRY_S = 0.1
_LONGEST_RETRY_S = 2.0


class ArrivalSchedule:
    """Groups of connections due on a fixed grid of times, with room for them or not.

    Due times are multiples of the period counted from the start, so they never drift. A group that finds too
    little room waits and starts when there is room for all of it; grid points that pass meanwhile are
    skipped, so that a slow server meets no backlog when it recovers.
    """

    def __init__(self, rate_per_s: float, group: int, start_s: float) -> None:
        """Put the first group at `start_s`, and one every `group / rate_per_s` seconds after it."""
        self.period_s = group / rate_per_s
        self.arrivals_delayed = 0
        """Connections that had to wait for room, each counted once."""
        self._group = group
        self._start_s = start_s
        self._next = 0
        self._waiting = False

    @property
    def due_s(self) -> float:
        """When the next group is due, or was due if it waits for room."""
        return self._start_s + self._next * self.period_s

    def arrivals(self, now_s: float, room: int) -> int:
        """Return how many connections to start now: a whole group or none.

        `room` is how many more may be open.
        """
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


class ThroughputMeter:
    """How many connections a second a saturated server completes.

    Counted from the end of the warm-up and weighed by audio, so that it does not matter how long the clips
    were that happened to complete.
    """

    def __init__(self, warm_up: int, mean_clip_s: float) -> None:
        """Leave out the first `warm_up` completions: they include the first touch of everything."""
        self.completed = 0
        self._warm_up = warm_up
        self._mean_clip_s = mean_clip_s
        self._warm_at_s: float | None = None
        self._last_s = 0.0
        self._audio_s = 0.0

    def add(self, now_s: float, audio_s: float) -> None:
        """Note a completion at `now_s` of a connection with `audio_s` of audio."""
        self.completed += 1
        if self.completed <= self._warm_up:
            self._warm_at_s = now_s
            return
        self._last_s = now_s
        self._audio_s += audio_s

    def throughput_per_s(self, elapsed_s: float) -> float:
        """Return connections per second.

        With too few completions, count all of them, and one at least, over `elapsed_s`.
        """
        if self._warm_at_s is not None and self._last_s > self._warm_at_s:
            return self._audio_s / self._mean_clip_s / (self._last_s - self._warm_at_s)
        return max(1, self.completed) / elapsed_s


def round_down_rate(rate_per_s: float) -> float:
    """Return the largest of 1, 1.5, 2, 3, 5, 7 times a power of ten that is not above the rate (above 0).

    A calibrated rate lands on few values, so that runs on one machine can be compared.
    """
    decade = 10.0 ** math.floor(math.log10(rate_per_s))
    # a whisker of tolerance: 0.3 / 0.1 is not quite 3
    step = next((step for step in _RATE_SERIES if step * decade <= rate_per_s * (1 + 1e-9)), 1.0)
    return float(f"{step * decade:.2g}")


def retry_delay_s(failures_in_a_row: int) -> float:
    """Return how long a client of a closed loop waits after a failure, so that a dead server costs no CPU.

    0 without a failure, then 0.1 s doubling to 2 s.
    """
    if failures_in_a_row == 0:
        return 0.0
    return min(_LONGEST_RETRY_S, _FIRST_RETRY_S * 2.0 ** min(failures_in_a_row - 1, 10))


def clip_order(clips: int, order: ClipOrder, seed: int) -> Iterator[int]:
    """Yield indices of clips without end; each round of `clips` of them has every clip once."""
    generator = random.Random(seed)  # noqa: S311  an order, not a secret
    indices = list(range(clips))
    while True:
        if order == "shuffle":
            generator.shuffle(indices)
        yield from indices

"""What a server can take, measured with all places taken: pure, the clock's value is handed in."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

CALIBRATION_MIN_S, CALIBRATION_MAX_S = 3.0, 15.0
"""A calibration lasts at least so long, or as long as the server's delayed free if that is longer, and at
most so long. It opens twice as many connections a second as the load will, so more of them wait for the
server's sweep than ever after; else that record would be broken now and then, each time with a step up."""
CALIBRATION_RUN_SHARE = 0.2
"""Share of a run's duration or connections that the calibration may use up."""
CALIBRATION_ROUNDS = 2
"""After the warm-up, so many completions for every connection open at once."""


@dataclass(frozen=True)
class CalibrationLimits:
    """When a calibration is over: whatever comes first, but `completions` not before `shortest_s`."""

    shortest_s: float
    longest_s: float
    completions: int
    """Enough completions."""
    connections: int
    """Most connections to make."""

    @classmethod
    def of(
        cls, *, max_open: int, settle_s: float, duration_s: float | None, connections: int | None
    ) -> CalibrationLimits:
        """Take them from what the plan says of the whole load (None: without end)."""
        longest_s, most = CALIBRATION_MAX_S, sys.maxsize
        if duration_s is not None:
            longest_s = min(longest_s, duration_s * CALIBRATION_RUN_SHARE)
        if connections is not None:
            most = max(1, math.floor(connections * CALIBRATION_RUN_SHARE))
        shortest_s = max(CALIBRATION_MIN_S, settle_s)
        return cls(shortest_s, longest_s, max_open * (1 + CALIBRATION_ROUNDS), most)


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

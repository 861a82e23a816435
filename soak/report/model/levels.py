"""The levels of memory that a run is told by: start, plateau, end, peak."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import pandas as pd

    from soak.report.model.readings import Readings
    from soak.verdict.run_verdict import RunVerdict


LAST_RESTS = 2
"""Quiet windows at the end whose median is the level that was reached."""


@dataclass(frozen=True)
class Levels:
    """Levels of one run, in bytes; None where nothing was read."""

    start_bytes: float | None
    """First reading of the last life of the process."""
    plateau_bytes: float | None
    """The level after warm-up; only for a plateau."""
    plateau_at_s: float | None
    """When the plateau began, in seconds of the run."""
    end_bytes: float | None
    """The last reading."""
    quiet_bytes: float | None
    """RSS in the last quiet windows."""
    peak_bytes: float | None
    """The highest reading."""

    @classmethod
    def of(cls, readings: Readings, verdict: RunVerdict) -> Self:
        """Read the levels off a run and its verdict."""
        memory, quiet_bytes = verdict.memory, quiet_level_bytes(readings.samples)
        return cls(
            # the judge has zeros where nothing was read
            start_bytes=memory.start if memory.start > 0 else None,
            plateau_bytes=None if memory.level is None else round(memory.level),
            plateau_at_s=memory.level_from_s,
            end_bytes=readings.last("rss_bytes"),
            quiet_bytes=quiet_bytes if math.isfinite(quiet_bytes) else None,
            peak_bytes=memory.peak if memory.peak > 0 else None,
        )

    @property
    def has_plateau(self) -> bool:
        """Whether memory came to rest."""
        return self.plateau_bytes is not None

    @property
    def reached_bytes(self) -> float | None:
        """The plateau, or for want of one where the run ended."""
        return self.end_bytes if self.plateau_bytes is None else self.plateau_bytes

    @property
    def settled_bytes(self) -> float | None:
        """The plateau, or for want of one the last quiet windows: what runs are compared by."""
        return self.quiet_bytes if self.plateau_bytes is None else self.plateau_bytes

    @property
    def growth_bytes(self) -> float | None:
        """From the start to the level that was reached."""
        if self.reached_bytes is None or self.start_bytes is None:
            return None
        return self.reached_bytes - self.start_bytes


def quiet_level_bytes(samples: pd.DataFrame) -> float:
    """Return the median of the lowest readings of the last quiet windows; NaN where there were none."""
    if not {"phase", "block"} <= set(samples):
        return math.nan
    resting = samples[(samples["phase"] == "rest") & (samples["block"] >= 1)]
    floors = resting.groupby("block")["rss_bytes"].min()
    return float(floors.tail(LAST_RESTS).median())

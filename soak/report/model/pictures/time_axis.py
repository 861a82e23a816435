"""The time axis that all pictures of a run share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from soak.quantity import STEP_S, growth_unit

if TYPE_CHECKING:
    from soak.report.model.failure import TargetFailure
    from soak.report.model.readings import Readings

SECONDS_AXIS_UP_TO_S = 180.0
MINUTES_AXIS_UP_TO_S = 3 * 3600.0
TIME_UNITS = ("s", "min", "h")
BEGINS_AT_ZERO_SHARE = 0.05
"""A first sample that came within this share of the run draws the axis from zero on."""


@dataclass(frozen=True)
class TimeAxis:
    """Where the time of a run is drawn, and in which unit."""

    unit: str
    """``s``, ``min`` or ``h``; of a recording in order of steps what one is called."""
    unit_s: float
    """Seconds in one unit."""
    from_s: float
    """Where the axis begins, in seconds."""
    to_s: float
    """Where it ends."""
    first_sample_s: float
    """When the first sample was taken."""
    last_sample_s: float
    """When the last sample was taken."""

    @property
    def counts_steps(self) -> bool:
        """Whether it is no time but a count, as of requests."""
        return self.unit not in TIME_UNITS

    @classmethod
    def of(cls, readings: Readings, failure: TargetFailure | None = None) -> Self:
        """Return the axis of a run; it holds the server's death, which comes after the last sample."""
        first_s, last_s = readings.first_s, readings.last_s
        from_s, to_s = first_s, last_s
        if abs(first_s) <= BEGINS_AT_ZERO_SHARE * (last_s - first_s):
            from_s = 0.0
        if failure is not None and failure.died_at_s is not None:
            to_s = max(to_s, failure.died_at_s)
        return cls(*_unit(readings.duration_s), from_s, max(to_s, from_s + 1.0), first_s, last_s)

    def reaching(self, to_s: float) -> Self:
        """Return it with room for what is drawn until `to_s`."""
        return replace(self, to_s=max(self.to_s, to_s))

    @classmethod
    def of_length(cls, length_s: float) -> Self:
        """Return an axis from zero to `length_s`, for runs that are drawn from their own starts."""
        return cls(*_unit(length_s), 0.0, max(length_s, 1.0), 0.0, length_s)


def _unit(length_s: float) -> tuple[str, float]:
    """Choose the unit in which a length reads best; of a recording in order of steps it is the step."""
    if growth_unit() != "hour":
        return growth_unit(), STEP_S
    if length_s <= SECONDS_AXIS_UP_TO_S:
        return "s", 1.0
    if length_s <= MINUTES_AXIS_UP_TO_S:
        return "min", 60.0
    return "h", 3600.0

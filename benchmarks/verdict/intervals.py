"""Stated intervals of the growth against its truth. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.verdict.answers import Held
from benchmarks.verdict.rates import Rate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.verdict.answers import Answer
    from benchmarks.verdict.trace import Trace
    from soak.verdict.verdict import Estimate, SeriesVerdict

UNSTEADY = frozenset(
    {
        "sub_linear", "in_bursts", "rare_events", "rare_event", "rare", "creep_cut_short",
        "logarithmic_warm_up", "warm_up_under_way",
    }
)  # fmt: skip
"""Families whose growth is not steady to the end, or only on average: their truth is of no interval."""


@dataclass(frozen=True)
class Growths:
    """Two-sided 95 % intervals of the growth, with the estimate; None where none is stated."""

    per_hour: Estimate | None
    per_connection: Estimate | None
    per_audio_s: Estimate | None

    @classmethod
    def of(cls, verdict: SeriesVerdict) -> Growths:
        """Take them from a verdict."""
        return cls(verdict.growth_per_hour, verdict.growth_per_connection, verdict.growth_per_audio_s)


def held(trace: Trace, stated: Growths) -> tuple[Held, ...]:
    """Hold the intervals against the truth: of a leak in the unit that its pace is steady in, of a healthy
    trace against 0 per hour and per connection.
    """
    if trace.family in UNSTEADY:
        return ()
    if not trace.leaking:
        by_hour = hold("hour", stated.per_hour, 0.0, leaking=False)
        return by_hour + hold("connection", stated.per_connection, 0.0, leaking=False)
    if trace.growth_bytes_per_connection is not None:
        return hold("connection", stated.per_connection, trace.growth_bytes_per_connection, leaking=True)
    if trace.growth_bytes_per_audio_s is not None:
        return hold("audio second", stated.per_audio_s, trace.growth_bytes_per_audio_s, leaking=True)
    return hold("hour", stated.per_hour, trace.growth_bytes_per_hour, leaking=True)


def hold(unit: str, interval: Estimate | None, truth: float | None, *, leaking: bool) -> tuple[Held, ...]:
    """Hold one interval against the truth: empty when either is unknown."""
    if interval is None or truth is None or not math.isfinite(truth):
        return ()
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return ()
    return (Held(unit, leaking, interval.low <= truth <= interval.high),)


def coverage(answers: Iterable[Answer], *, unit: str | None = None, leaking: bool | None = None) -> Rate:
    """Count the stated intervals that hold the truth; None takes every unit, or leaks and healthy traces."""
    return Rate.of(
        each.inside
        for answer in answers
        for each in answer.held
        if unit in (None, each.unit) and leaking in (None, each.leaking)
    )

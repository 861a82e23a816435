"""The numbers the verdict rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.quantity import (
    MISSING,
    format_bytes,
    format_count,
    format_duration,
    format_rate,
    growth_unit,
    is_known,
)
from soak.report.model.tables.rows import Row
from soak.verdict.verdict import Basis, Follows
from soak.words import bounds_in_words

if TYPE_CHECKING:
    from soak.verdict.run_verdict import RunVerdict
    from soak.verdict.verdict import Estimate

_BASES = {
    Basis.REST_WINDOWS: "lowest reading of each quiet window",
    Basis.LOAD_ENVELOPE: "lower envelope under load",
}
_FOLLOWS = {
    Follows.CONNECTIONS: "the number of connections",
    Follows.AUDIO: "the seconds of audio",
    Follows.TIME: "the time",
}


def judged_numbers(verdict: RunVerdict, points: int | None) -> tuple[Row, ...]:
    """Return the numbers the verdict rests on; `points` of memory were judged, None where none were."""
    memory = verdict.memory
    growth, each = memory.growth_per_hour, memory.growth_per_connection
    metric = "RSS + swap" if memory.with_swap else "RSS"
    rows = [
        Row("What was judged", f"{metric}, {_BASES[memory.basis]}"),
        Row("Samples", format_count(memory.samples)),
        Row("Points judged", format_count(points)),
        Row("Warm-up ended after", format_duration(memory.warm_up_end_s)),
        Row(f"Growth per {growth_unit()}", _with_bounds(growth, memory.confidence, "h")),
    ]
    if each is not None:
        rows.append(Row("Growth per connection", _with_bounds(each, memory.confidence, None)))
    second = memory.growth_per_audio_s
    if second is not None:
        rows.append(Row("Growth per audio second", _with_bounds(second, memory.confidence, None)))
    smallest = format_rate(memory.minimum_detectable_per_hour, signed=False)
    rows += [
        Row("Budget", format_rate(memory.budget_per_hour, signed=False)),
        Row("Sensitivity", smallest),
    ]
    each_smallest = memory.minimum_detectable_per_connection
    if is_known(each_smallest):
        rows.append(Row("Sensitivity per connection", format_bytes(each_smallest)))
    rows.append(Row("Restarts", format_count(memory.restarts)))
    if memory.follows is not None:
        rows.append(Row("Growth follows", _FOLLOWS[memory.follows]))
    return tuple(row for row in rows if row.value != MISSING)


def _with_bounds(growth: Estimate, confidence: float, per: str | None) -> str:
    value = format_rate(growth.estimate, per) if per else format_bytes(growth.estimate, signed=True)
    bounds = bounds_in_words(growth.low, growth.high, confidence, per)
    return value if bounds == MISSING else f"{value} ({bounds})"

"""The numbers the verdict rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.quantity import (
    MISSING,
    format_bytes,
    format_count,
    format_duration,
    format_interval,
    format_rate,
    is_known,
)
from soak.report.model.rows import Row
from soak.verdict.verdict import Basis, Follows

if TYPE_CHECKING:
    from soak.verdict.verdict import Verdict

_METRICS = {"rss_bytes": "RSS", "rss_plus_swap_bytes": "RSS + swap"}
_BASES = {
    Basis.REST_WINDOWS: "lowest reading of each rest window",
    Basis.LOAD_ENVELOPE: "lower envelope under load",
}
_FOLLOWS = {
    Follows.CONNECTIONS: "the number of connections",
    Follows.AUDIO: "the seconds of audio",
    Follows.TIME: "the time",
}


def judged_numbers(verdict: Verdict, points: int | None) -> tuple[Row, ...]:
    """Return the numbers the verdict rests on; `points` of memory were judged, None where none were."""
    growth, each = verdict.growth_bytes_per_hour, verdict.growth_bytes_per_connection
    rows = [
        Row("What was judged", f"{_METRICS.get(verdict.metric, verdict.metric)}, {_BASES[verdict.basis]}"),
        Row("Samples", format_count(verdict.samples)),
        Row("Points judged", format_count(points)),
        Row("Warm-up ended after", format_duration(verdict.warm_up_end_s)),
        Row("Growth per hour", _with_interval(growth.estimate, growth.low, growth.high, "h")),
    ]
    if each is not None:
        rows.append(Row("Growth per connection", _with_interval(each.estimate, each.low, each.high, None)))
    second = verdict.growth_bytes_per_audio_s
    if second is not None:
        value = _with_interval(second.estimate, second.low, second.high, None)
        rows.append(Row("Growth per audio second", value))
    smallest = format_rate(verdict.minimum_detectable_bytes_per_hour, signed=False)
    rows += [
        Row("Accepted growth (budget)", format_rate(verdict.budget_bytes_per_hour, signed=False)),
        Row("Smallest growth this run could see", smallest),
    ]
    each_smallest = verdict.minimum_detectable_bytes_per_connection
    if is_known(each_smallest):
        rows.append(Row("Smallest growth per connection it could see", format_bytes(each_smallest)))
    rows.append(Row("Restarts", format_count(verdict.restarts)))
    if verdict.follows is not None:
        rows.append(Row("Growth follows", _FOLLOWS[verdict.follows]))
    return tuple(row for row in rows if row.value != MISSING)


def _with_interval(estimate: float, low: float, high: float, per: str | None) -> str:
    value = format_rate(estimate, per) if per else format_bytes(estimate, signed=True)
    return f"{value} (95 %: {format_interval(low, high, per)})" if is_known(low) and is_known(high) else value

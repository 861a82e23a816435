"""The table of the other resources that were judged: descriptors, threads, sockets, live sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.quantity import MISSING, format_count, format_count_rate, is_known
from soak.report.model.headline import SIGNS
from soak.verdict.verdict import Label
from soak.words import NAMES, each_bound

if TYPE_CHECKING:
    from soak.verdict.run_verdict import RunVerdict
    from soak.verdict.verdict import SeriesVerdict


@dataclass(frozen=True)
class ResourceRow:
    """One of the other resources that were judged, as text."""

    label: str
    start: str
    end: str
    peak: str
    growth: str
    """After warm-up, in the unit of the table."""
    interval: str
    """Its bounds; empty where there are none."""
    verdict: str
    """``plateau``, ``climbing`` or ``inconclusive``."""
    sign: str
    """The verdict as a shape."""

    @property
    def growth_with_interval(self) -> str:
        """Both in one line."""
        return f"{self.growth} ({self.interval})" if self.interval else self.growth


@dataclass(frozen=True)
class ResourceTable:
    """The other resources that were judged."""

    unit: str
    """``per connection`` where all rows know it, else ``per hour``."""
    bounds: str
    """How sure the bounds are."""
    rows: tuple[ResourceRow, ...]


def resource_table(verdict: RunVerdict) -> ResourceTable | None:
    """Return the other resources that were judged, those that climb first; None when there are none."""
    # a stable sort: otherwise in the order they are told
    judged = sorted(verdict.resources.items(), key=lambda item: item[1].label is not Label.CLIMBING)
    if not judged:
        return None
    by_connection = all(
        one.growth_per_connection is not None or not is_known(one.growth_per_hour.estimate)
        for _, one in judged
    )
    rows = tuple(_resource_row(NAMES[name], one, by_connection=by_connection) for name, one in judged)
    unit = "per connection" if by_connection else "per hour"
    return ResourceTable(unit, each_bound(judged[0][1].confidence), rows)


def _resource_row(label: str, one: SeriesVerdict, *, by_connection: bool) -> ResourceRow:
    growth = one.growth_per_connection if by_connection else one.growth_per_hour
    estimate, interval = MISSING, ""
    if growth is not None and is_known(growth.estimate):
        estimate = format_count_rate(growth.estimate)
        interval = f"{format_count_rate(growth.low)} to {format_count_rate(growth.high)}"
    return ResourceRow(
        label=label,
        start=format_count(one.start),
        end=format_count(one.end),
        peak=format_count(one.peak),
        growth=estimate,
        interval=interval,
        verdict=str(one.label),
        sign=SIGNS[str(one.label)],
    )

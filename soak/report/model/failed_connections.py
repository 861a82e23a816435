"""Failed connections by kind."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from soak.quantity import format_count
from soak.report.model.rows import Row

if TYPE_CHECKING:
    from soak.record import Run
    from soak.report.model.readings import Readings


def failed_connections(run: Run, readings: Readings) -> tuple[Row, ...]:
    """Return failed connections by kind, those that happened only.

    Only the first failures of a run are recorded one by one; the rest of the total has no kind.
    """
    counted: Counter[str] = Counter()
    for event in run.events:
        by_kind = event.get("failures")
        if isinstance(by_kind, dict):
            counted = Counter({str(kind): int(count) for kind, count in by_kind.items()})
    if not counted:
        counted.update(
            str(event.get("kind", "unknown"))
            for event in run.events
            if event.get("event") == "connection_failed"
        )
    total = int(readings.last("connections_failed") or 0)
    rows = [Row(kind.replace("_", " "), format_count(count)) for kind, count in counted.most_common()]
    if total > counted.total():
        rows.append(Row("kind not recorded", format_count(total - counted.total())))
    return tuple(row for row in rows if row.value != "0")

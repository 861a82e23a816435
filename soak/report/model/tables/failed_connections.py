"""Failed connections by kind."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from soak.quantity import format_count
from soak.record.events import ConnectionFailed, LoadEnded
from soak.report.model.tables.rows import Row

if TYPE_CHECKING:
    from soak.record import Run
    from soak.report.model.readings import Readings


def failed_connections(run: Run, readings: Readings) -> tuple[Row, ...]:
    """Return failed connections by kind, those that happened only.

    Only the first failures of a run are recorded one by one; the rest of the total has no kind.
    """
    ended = run.last_event(LoadEnded)
    counted = Counter(event.kind for event in run.events_of(ConnectionFailed))
    if ended is not None and ended.failures:
        counted = Counter(ended.failures)
    total = int(readings.last("connections_failed") or 0)
    rows = [Row(kind.replace("_", " "), format_count(count)) for kind, count in counted.most_common()]
    if total > counted.total():
        rows.append(Row("kind not recorded", format_count(total - counted.total())))
    return tuple(row for row in rows if row.value != "0")

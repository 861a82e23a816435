"""What measuring cost: the harness's own memory and CPU share, late and missed samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soak.quantity import format_bytes, format_count, format_duration, format_percent
from soak.record.events import SampleMissed
from soak.report.model.tables.rows import Row

if TYPE_CHECKING:
    from soak.record import Run
    from soak.report.model.readings import Readings

LATE_SHARE = 0.5
"""A sample that came later than this share of the interval is told as late."""


def harness_cost(run: Run, readings: Readings) -> tuple[Row, ...]:
    """Return what measuring cost, as far as the run recorded it."""
    rows = []
    rss = readings.known("harness_rss_bytes")
    if rss is not None:
        rows.append(Row("its own RSS", f"{format_bytes(float(rss[0]))} → {format_bytes(float(rss[-1]))}"))
    cpu_s = readings.known("harness_cpu_s")
    if cpu_s is not None and readings.duration_s > 0:
        share = (cpu_s[-1] - cpu_s[0]) / readings.duration_s
        rows.append(Row("its own CPU", f"{format_percent(share)} of one core"))
    late_s = readings.known("late_s")
    if late_s is not None:
        late = int((late_s > LATE_SHARE * _interval_s(run, readings)).sum())
        latest = format_duration(float(late_s.max()))
        rows.append(Row("late samples", f"{format_count(late)} (latest by {latest})"))
    if run.events:
        missed = sum(event.count for event in run.events_of(SampleMissed))
        rows.append(Row("missed samples", format_count(missed)))
    return tuple(rows)


def _interval_s(run: Run, readings: Readings) -> float:
    configured = run.manifest.configuration.sample.interval_s
    if configured is not None and configured > 0:
        return float(configured)
    steps_s = np.diff(readings.t_s)
    return float(np.nanmedian(steps_s)) if len(steps_s) else 1.0

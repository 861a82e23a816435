"""How every reading went over the run: a row each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soak.columns import Unit, declarations
from soak.quantity import format_count, format_duration, format_level, format_milliseconds
from soak.report.model.heap_columns import heap_columns
from soak.report.model.tables.rows import Course

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from soak.columns import Column
    from soak.report.model.readings import Readings

LATENCIES = declarations("first_partial_p50_ms", "first_partial_p95_ms", "final_p50_ms", "final_p95_ms")
"""The latencies that are told and drawn."""
_MEMORY = declarations(
    "rss_bytes",
    "rss_anon_bytes",
    "rss_file_bytes",
    "rss_shmem_bytes",
    "swap_bytes",
    "pss_bytes",
    "uss_bytes",
)
_OTHERS = declarations(
    "threads",
    "fds",
    "sockets",
    "sockets_established",
    "sockets_close_wait",
    "fd_deleted",
    "lazy_free_bytes",
    "anon_huge_bytes",
    "cgroup_current_bytes",
    "cgroup_anon_bytes",
    "processes",
    "server_sessions_alive",
    "server_gc_objects",
)
_WRITTEN: dict[Unit, Callable[[float | None], str]] = {
    Unit.BYTES: format_level,
    Unit.COUNT: format_count,
    Unit.SECONDS: format_duration,
    Unit.MILLISECONDS: format_milliseconds,
}
_STRETCH = 5
"""The latency at the start and at the end is the median over this fraction of the run: a fifth."""


def courses(readings: Readings, judged: Container[str], foreign: Iterable[Column] = ()) -> tuple[Course, ...]:
    """Return start, end and peak of every reading the run holds, but for the columns `judged` elsewhere.

    `foreign` columns are those of somebody else's memory source.
    """
    found = []
    for column in (*_MEMORY, *heap_columns(readings), *_OTHERS, *foreign):
        known = readings.known(column.name)
        if known is None or column.name in judged or column.unit not in _WRITTEN:
            continue
        write = _WRITTEN[column.unit]
        levels = (known[0], known[-1], known.max())
        found.append(Course(column.label, *(write(float(level)) for level in levels)))
    # RSS alone is told by the key figures
    return tuple(found) if len(found) > 1 else ()


def latencies(readings: Readings) -> tuple[Course, ...]:
    """Return first-partial and final latency: median of the intervals at start and end, and the worst."""
    found = []
    for column in LATENCIES:
        known = readings.known(column.name)
        if known is None:
            continue
        some = max(1, len(known) // _STRETCH)
        levels = (np.median(known[:some]), np.median(known[-some:]), known.max())
        found.append(Course(column.label, *(format_milliseconds(float(level)) for level in levels)))
    return tuple(found)

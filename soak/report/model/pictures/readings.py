"""The charts of what a run read beside its memory: kinds of pages, heap, latency, failures, resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soak.columns import declarations, declared
from soak.report.model.heap_columns import heap_columns
from soak.report.model.pictures.charts import MIB, Line, LineChart, StackChart, axis_range
from soak.report.model.pictures.thinning import thin, thinned_indices
from soak.report.model.tables.courses import LATENCIES
from soak.words import growth_of_count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from soak.columns import Column
    from soak.report.model.readings import Readings
    from soak.verdict.run_verdict import RunVerdict

    Floats = NDArray[np.float64]

OTHER_COLOUR = "resource"
"""The colour of a column that is declared without one."""
_RESOURCES = declarations(
    "threads",
    "fds",
    "sockets",
    "processes",
    "server_sessions_alive",
    "server_decode_queue_tasks",
    "server_gc_objects",
)


def climbing_charts(readings: Readings, verdict: RunVerdict) -> tuple[LineChart, ...]:
    """Return one chart for each other resource that climbs, with its trend."""
    charts = []
    for name in verdict.climbing:
        column, resource = declared(name), verdict.resources[name]
        line = _line(readings, column)
        if line is None:
            continue
        charts.append(
            LineChart(
                key=name,
                title=f"{column.title} climb",
                caption=f"{growth_of_count(resource)}.",
                lines=(line,),
                trend=resource.trend_line,
            )
        )
    return tuple(charts)


def resource_charts(readings: Readings, verdict: RunVerdict) -> tuple[LineChart, ...]:
    """Return one very small chart for each other resource that changed but does not climb.

    The table has those that did not change.
    """
    charts = []
    climb = verdict.climbing
    for column in _RESOURCES:
        line = _line(readings, column)
        if line is None or column.name in climb:
            continue
        low, high = float(line.values.min()), float(line.values.max())
        if low == high:
            continue
        charts.append(
            LineChart(
                key=column.name,
                title=column.title,
                caption="",
                lines=(line,),
                bounds=axis_range(low, high),
                whole_steps=True,
                has_legend=False,
                is_tiny=True,
            )
        )
    return tuple(charts)


def breakdown_chart(readings: Readings) -> StackChart | None:
    """Stack RSS by kind of page: what the process allocated, mapped files, shared memory, swap."""
    columns = declarations("rss_anon_bytes", "rss_file_bytes", "rss_shmem_bytes", "swap_bytes")
    layers = stack(readings, {column: readings.column(column.name) for column in columns})
    if not layers:
        return None
    caption = "A leak shows in the anonymous part; file-backed pages are libraries, models and logs."
    return StackChart(key="breakdown", title="What the memory is", caption=caption, layers=layers)


def heap_chart(readings: Readings) -> StackChart | None:
    """Stack the allocator's heap: in use against free but kept.

    What ONNX Runtime's arenas hold is in use for malloc, and shown apart where the server has any.
    """
    (in_use, free), arenas = heap_columns(readings), declared("server_arena_held_bytes")
    used, held = readings.column(in_use.name), readings.positive(arenas.name)
    caption = "Growth of “in use” is kept by the program; growth of “free” is the allocator’s cache."
    parts: dict[Column, Floats | None] = {in_use: used}
    if held is not None and used is not None:
        parts = {in_use: used - held, arenas: held}
        caption += " The arenas hold tensors, the graphs’ weights, and what is kept for the next run."
    layers = stack(readings, {**parts, free: readings.column(free.name)})
    if not layers:
        return None
    return StackChart(key="heap", title="Heap of the server", caption=caption, layers=layers)


def latency_chart(readings: Readings) -> LineChart | None:
    """Draw the latency to the first partial and to the final result, p50 and p95 per interval."""
    drawn = [_line(readings, column, is_dotted="p95" in column.name) for column in LATENCIES]
    lines = tuple(line for line in drawn if line is not None)
    if not lines:
        return None
    caption = "First partial counts from the first audio sent, final from the end of the audio."
    return LineChart(key="latency", title="Latency", caption=caption, lines=lines, unit="ms")


def failures_chart(readings: Readings) -> LineChart | None:
    """Draw the failed connections so far; None when there were none."""
    line = _line(readings, declared("connections_failed"))
    if line is None or not line.values.max() > 0:
        return None
    return LineChart(
        key="failures",
        title="Failed connections",
        caption="Counted since the start of the load.",
        lines=(line,),
        whole_steps=True,
        has_legend=False,
    )


def stack(readings: Readings, parts: Mapping[Column, Floats | None]) -> tuple[Line, ...]:
    """Return parts of memory, given in bytes, as layers in MiB.

    There are none when the first part, which the stack stands on, was never read.
    """
    base = next(iter(parts.values()))
    if base is None or not np.isfinite(base).any():
        return ()
    # some readings are taken more seldom than samples; one choice of rows for all layers, or the stack
    # would not add up
    known = np.flatnonzero(np.isfinite(base))
    picked = known[thinned_indices(base[known])]
    return tuple(
        Line(
            column.label,
            column.drawn or OTHER_COLOUR,
            readings.t_s[picked],
            np.nan_to_num(values[picked]) / MIB,
        )
        for column, values in parts.items()
        if values is not None and np.nanmax(values) > 0
    )


def _line(readings: Readings, column: Column, *, is_dotted: bool = False) -> Line | None:
    """Return a column as a line over cells that are empty: some are read more seldom than samples."""
    values = readings.column(column.name)
    if values is None:
        return None
    kept = np.isfinite(values)
    colour = column.drawn or OTHER_COLOUR
    return Line(column.label, colour, *thin(readings.t_s[kept], values[kept]), is_dotted)

"""The interactive charts of the HTML report, as plotly figures in the light palette."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from soak.analyse.resources import climbing, growth_in_words
from soak.columns import Column, Unit, declarations, declared
from soak.report.evidence import (
    TimeAxis,
    axis_range,
    column,
    duration_s,
    load_column,
    time_axis,
    time_range_s,
    times_s,
)
from soak.report.facts import LATENCY
from soak.report.palette import LIGHT
from soak.report.thinning import thin, thinned_indices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from soak.record import Run
    from soak.verdict.verdict import Verdict

MIB = 1024.0 * 1024.0
SMALL_HEIGHT_PX = 250
TINY_HEIGHT_PX = 170


@dataclass(frozen=True)
class Chart:
    """One chart of the report with the words around it."""

    key: str
    """Identifier within the page."""
    title: str
    caption: str
    figure: go.Figure


_RESOURCES = declarations(
    "threads",
    "fds",
    "sockets",
    "processes",
    "server_sessions_alive",
    "server_decode_queue_tasks",
    "server_gc_objects",
)
_AXIS_UNITS = {Unit.BYTES: (MIB, " MiB"), Unit.MILLISECONDS: (1.0, " ms"), Unit.SECONDS: (1.0, " s")}
"""What a column's numbers are divided by, and what stands behind them; counts are drawn as they are."""


def climbing_charts(run: Run, verdict: Verdict) -> list[Chart]:
    """Return one chart for each other resource that climbs, with its trend."""
    charts = []
    for name in climbing(verdict):
        if column(run, name) is None:
            continue
        resource = verdict.resources[name]
        resource_column = declared(name)
        figure = _lines(run, (resource_column,), SMALL_HEIGHT_PX)
        if resource.trend_line is not None:
            (from_s, first), (to_s, last) = resource.trend_line
            axis = run_time_axis(run)
            figure.add_scatter(
                x=[from_s / axis.unit_s, to_s / axis.unit_s],
                y=[first, last],
                name="trend",
                mode="lines",
                line={"width": 2.5, "color": LIGHT["trend"]},
                hoverinfo="skip",
            )
        charts.append(Chart(name, f"{resource_column.title} climb", f"{growth_in_words(resource)}.", figure))
    return charts


def resource_charts(run: Run, verdict: Verdict) -> list[Chart]:
    """Return one very small chart for each other resource that changed but does not climb.

    The table has those that did not change.
    """
    charts = []
    climb = climbing(verdict)
    for each in _RESOURCES:
        values = column(run, each.name)
        if values is None or each.name in climb:
            continue
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        if low == high:
            continue
        figure = _lines(run, (each,), TINY_HEIGHT_PX)
        figure.update_layout(
            showlegend=False,
            yaxis={"range": axis_range(low, high), "rangemode": "normal", "dtick": whole_steps(high - low)},
        )
        charts.append(Chart(each.name, each.title, "", figure))
    return charts


def breakdown(run: Run) -> Chart | None:
    """Stack RSS by kind of page: what the process allocated, mapped files, shared memory, swap."""
    figure = stacked(run, declarations("rss_anon_bytes", "rss_file_bytes", "rss_shmem_bytes", "swap_bytes"))
    if figure is None:
        return None
    caption = "A leak shows in the anonymous part; file-backed pages are libraries, models and logs."
    return Chart("breakdown", "What the memory is", caption, figure)


def heap(run: Run) -> Chart | None:
    """Stack the allocator's heap: in use against free but kept, as the server reports it.

    What ONNX Runtime's arenas hold is in use for malloc, and shown apart where the server has any.
    """
    held, in_use = load_column(run, "server_arena_held_bytes"), column(run, "server_heap_in_use_bytes")
    layers = ["server_heap_in_use_bytes", "server_heap_free_bytes"]
    caption = "Growth of “in use” is kept by the program; growth of “free” is the allocator’s cache."
    if held is not None and in_use is not None:
        run = replace(run, samples=run.samples.assign(server_heap_in_use_bytes=in_use - held))
        layers.insert(1, "server_arena_held_bytes")
        caption += " The arenas hold tensors, the graphs’ weights, and what is kept for the next run."
    figure = stacked(run, declarations(*layers))
    if figure is None:
        return None
    return Chart("heap", "Heap of the server", caption, figure)


def latency(run: Run) -> Chart | None:
    """Draw the latency to the first partial and to the final result, p50 and p95 per interval."""
    if all(column(run, each.name) is None for each in LATENCY):
        return None
    figure = _lines(run, LATENCY, SMALL_HEIGHT_PX)
    figure.update_layout(yaxis={"ticksuffix": " ms"})
    for trace, dash in zip(figure.data, ("solid", "dot", "solid", "dot"), strict=False):
        trace.line.dash = dash
    caption = "First partial counts from the first audio sent, final from the end of the audio."
    return Chart("latency", "Latency", caption, figure)


def failures(run: Run) -> Chart | None:
    """Draw the failed connections so far; None when there were none."""
    failed = column(run, "connections_failed")
    if failed is None or not np.nanmax(failed) > 0:
        return None
    figure = _lines(run, declarations("connections_failed"), SMALL_HEIGHT_PX)
    figure.update_layout(showlegend=False, yaxis={"dtick": whole_steps(float(np.nanmax(failed)))})
    return Chart("failures", "Failed connections", "Counted since the start of the load.", figure)


def stacked(run: Run, lines: Sequence[Column]) -> go.Figure | None:
    """Stack columns; None when the first, which the stack stands on, was never read."""
    base = column(run, lines[0].name)
    if base is None:
        return None
    # some readings are taken more seldom than samples; one choice of rows for all layers, or the stack
    # would not add up
    known = np.flatnonzero(np.isfinite(base))
    picked = known[thinned_indices(base[known])]
    axis = run_time_axis(run)
    stamps = times_s(run)[picked] / axis.unit_s
    figure = go.Figure(layout=base_layout(run, SMALL_HEIGHT_PX))
    for line in lines:
        values = column(run, line.name)
        if values is None or not np.nanmax(values) > 0:
            continue
        divisor, unit = _axis_unit(line)
        figure.add_scatter(
            x=stamps,
            y=np.nan_to_num(values[picked]) / divisor,
            name=line.label,
            mode="lines",
            stackgroup="layers",
            line={"width": 0.6, "color": _colour(line)},
            fillcolor=_colour(line),
            hovertemplate="%{y:,.1f}" + unit,
        )
    figure.update_layout(yaxis={"ticksuffix": _axis_unit(lines[0])[1], "rangemode": "tozero"})
    return figure if figure.data else None


def _lines(run: Run, lines: Sequence[Column], height_px: int) -> go.Figure:
    """Draw columns as lines over cells that are empty: some readings are taken more seldom than samples."""
    axis = run_time_axis(run)
    figure = go.Figure(layout=base_layout(run, height_px))
    stamps = times_s(run)
    for line in lines:
        values = column(run, line.name)
        if values is None:
            continue
        kept = np.isfinite(values)
        divisor, unit = _axis_unit(line)
        x, y = thin(stamps[kept], values[kept])
        figure.add_scatter(
            x=x / axis.unit_s,
            y=y / divisor,
            name=line.label,
            mode=mode_for(y),
            line={"width": 1.4, "color": _colour(line)},
            hovertemplate="%{y:,.4~g}" + unit,
        )
    figure.update_layout(yaxis={"rangemode": "tozero"})
    return figure


def _axis_unit(each: Column) -> tuple[float, str]:
    return _AXIS_UNITS.get(each.unit, (1.0, ""))


def _colour(each: Column) -> str:
    return LIGHT[each.drawn or "resource"]


def whole_steps(span: float) -> int | None:
    """Return the distance of ticks of an axis of counts: 1 where plotly would choose fractions."""
    return 1 if span <= 5 else None


def mode_for(values: NDArray[np.float64]) -> str:
    """Return how to draw: a line has no length with fewer than three points, so these get dots."""
    return "lines" if np.isfinite(values).sum() > 2 else "lines+markers"


def run_time_axis(run: Run) -> TimeAxis:
    """Return the unit of the time axis of all charts of a run."""
    return time_axis(duration_s(run))


def base_layout(run: Run, height_px: int) -> dict[str, Any]:
    """Return what all charts of a run share: type, colours, time axis, grid, hover, margins."""
    axis = run_time_axis(run)
    grid = {
        "gridcolor": LIGHT["grid"],
        "linecolor": LIGHT["axis"],
        "zerolinecolor": LIGHT["grid"],
        "automargin": True,
    }
    return {
        "template": "none",
        "height": height_px,
        "autosize": True,
        "paper_bgcolor": LIGHT["paper"],
        "plot_bgcolor": LIGHT["paper"],
        "font": {
            "family": "system-ui, 'Segoe UI', Roboto, Arial, sans-serif",
            "size": 12,
            "color": LIGHT["ink"],
        },
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": LIGHT["paper"], "bordercolor": LIGHT["axis"]},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"},
        "xaxis": {
            **grid,
            "showgrid": False,
            "showline": True,
            "ticks": "outside",
            "tickcolor": LIGHT["axis"],
            "ticksuffix": f" {axis.unit}",
            "hoverformat": ".4~g" if axis.unit_s > 1 else ".1f",
            "nticks": 8,
            "range": [second / axis.unit_s for second in time_range_s(run)],
        },
        "yaxis": {**grid, "separatethousands": True, "nticks": 6},
    }

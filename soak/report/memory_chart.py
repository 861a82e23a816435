"""The main chart: memory with its trend, and the load under it on the same time axis."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from soak.quantity import format_duration, format_level, format_rate
from soak.report.charts import MIB, Chart, base_layout, mode_for, run_time_axis, whole_steps
from soak.report.evidence import (
    TimeAxis,
    axis_range,
    column,
    judged_points,
    load_column,
    marks,
    rest_windows_s,
    times_s,
    trend_line,
)
from soak.report.palette import LIGHT
from soak.report.thinning import thin

if TYPE_CHECKING:
    from soak.record import Run
    from soak.verdict.verdict import Verdict

HEIGHT_PX = 560
HEIGHT_WITHOUT_LOAD_PX = 420
MAX_SHADED_RESTS = 400
"""Beyond this the shading is a grey wash; the floors still show where the rests were."""


@dataclass(frozen=True)
class _Canvas:
    """The figure being drawn, and what every part of it needs."""

    figure: go.Figure
    axis: TimeAxis
    run: Run
    verdict: Verdict


def memory_chart(run: Run, verdict: Verdict) -> Chart | None:
    """Draw RSS, judged floors, trend with its band, warm-up, plateau, rests and marks; the load below.

    None when not one memory reading was taken.
    """
    rss = column(run, "rss_bytes")
    if rss is None:
        return None
    axis = run_time_axis(run)
    opened, completed = load_column(run, "open_connections"), load_column(run, "connections_completed")
    has_load = opened is not None or completed is not None
    height_px = HEIGHT_PX if has_load else HEIGHT_WITHOUT_LOAD_PX
    canvas = _Canvas(go.Figure(layout=base_layout(run, height_px)), axis, run, verdict)
    _rss(canvas)
    _trend(canvas)
    _floors(canvas)
    _levels(canvas)
    _happenings(canvas)
    low, high = axis_range(float(np.nanmin(rss)), float(np.nanmax(rss)))
    canvas.figure.update_layout(
        yaxis={"title": {"text": "memory, MiB"}, "range": [low / MIB, high / MIB]},
        legend={"y": 1.01, "traceorder": "normal"},
    )
    if has_load:
        _load(canvas)
    caption = (
        "Shaded: rest windows, when no connection is open. Their floors carry the verdict."
        if rest_windows_s(run)
        else ""
    )
    return Chart(
        "memory", "Memory and load over time" if has_load else "Memory over time", caption, canvas.figure
    )


def _rss(canvas: _Canvas) -> None:
    rss = column(canvas.run, "rss_bytes")
    if rss is None:
        return
    t_s, values = thin(times_s(canvas.run), rss)
    canvas.figure.add_scatter(
        x=t_s / canvas.axis.unit_s,
        y=values / MIB,
        name="RSS",
        mode=mode_for(values),
        line={"width": 1.5, "color": LIGHT["rss"]},
        hovertemplate="%{y:,.1f} MiB",
    )


def _floors(canvas: _Canvas) -> None:
    judged = judged_points(canvas.verdict)
    if judged is None:
        return
    t_s, values = thin(*judged)
    canvas.figure.add_scatter(
        x=t_s / canvas.axis.unit_s,
        y=values / MIB,
        name="floors judged",
        mode="markers",
        marker={
            "size": 7,
            "symbol": "diamond",
            "color": LIGHT["floor"],
            "line": {"width": 1, "color": LIGHT["paper"]},
        },
        hovertemplate="%{y:,.2f} MiB",
    )


def _trend(canvas: _Canvas) -> None:
    trend = trend_line(canvas.verdict)
    if trend is None:
        return
    x = trend.t_s / canvas.axis.unit_s
    there_and_back = np.concatenate((x, x[::-1]))
    edge = np.concatenate((trend.high_bytes, trend.low_bytes[::-1])) / MIB
    canvas.figure.add_scatter(
        x=there_and_back,
        y=edge,
        name="its 95 % interval",
        legendgroup="trend",
        showlegend=False,
        fill="toself",
        fillcolor=LIGHT["trend_band"],
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
    )
    growth = canvas.verdict.growth_bytes_per_hour
    canvas.figure.add_scatter(
        x=x,
        y=trend.estimate_bytes / MIB,
        name=f"trend {format_rate(growth.estimate)}, with its 95 % interval",
        legendgroup="trend",
        mode="lines",
        line={"width": 2.5, "color": LIGHT["trend"]},
        hoverinfo="skip",
    )


def _levels(canvas: _Canvas) -> None:
    """Mark where warm-up ends, and the plateau."""
    verdict, unit_s = canvas.verdict, canvas.axis.unit_s
    last_s = float(np.nanmax(times_s(canvas.run)))
    if verdict.plateau_bytes is not None:
        level = verdict.plateau_bytes / MIB
        from_s = verdict.plateau_at_s if verdict.plateau_at_s is not None else 0.0
        canvas.figure.add_scatter(
            x=[from_s / unit_s, last_s / unit_s],
            y=[level, level],
            name=f"plateau {format_level(verdict.plateau_bytes)}",
            mode="lines",
            line={"width": 2, "dash": "dash", "color": LIGHT["plateau"]},
            hoverinfo="skip",
        )
    if verdict.warm_up_end_s is not None and verdict.warm_up_end_s > 0:
        label = f"warm-up ends, {format_duration(verdict.warm_up_end_s)}"
        _vertical(canvas, verdict.warm_up_end_s, label, "warm_up", level=0)


def _happenings(canvas: _Canvas) -> None:
    """Shade the rest windows and mark restarts, exits and faults."""
    windows = rest_windows_s(canvas.run)
    unit_s = canvas.axis.unit_s
    if len(windows) <= MAX_SHADED_RESTS:
        shapes: list[dict[str, Any]] = [
            {
                "type": "rect",
                "xref": "x",
                "yref": "paper",
                "x0": start_s / unit_s,
                "x1": end_s / unit_s,
                "y0": 0,
                "y1": 1,
                "line": {"width": 0},
                "fillcolor": LIGHT["rest"],
                "layer": "below",
            }
            for start_s, end_s in windows
        ]
        canvas.figure.update_layout(shapes=[*canvas.figure.layout.shapes, *shapes])
    for number, mark in enumerate(marks(canvas.run, canvas.verdict)):
        _vertical(canvas, mark.t_s, html.escape(mark.label), "mark", level=1 + number % 4)


def _vertical(canvas: _Canvas, t_s: float, label: str, colour: str, *, level: int) -> None:
    """Draw a labelled vertical line; labels of neighbouring lines sit at different `level`s."""
    x = t_s / canvas.axis.unit_s
    last_s = float(np.nanmax(times_s(canvas.run)))
    canvas.figure.add_shape(
        type="line",
        xref="x",
        yref="y domain",
        x0=x,
        x1=x,
        y0=0,
        y1=1,
        line={"width": 1.5, "dash": "dot", "color": LIGHT[colour]},
    )
    canvas.figure.add_annotation(
        xref="x",
        yref="y domain",
        x=x,
        y=0.02 + 0.07 * level,
        text=label,
        showarrow=False,
        xanchor="right" if t_s > 0.5 * last_s else "left",
        yanchor="bottom",
        xshift=-4 if t_s > 0.5 * last_s else 4,
        font={"color": LIGHT[colour], "size": 11},
        bgcolor=LIGHT["paper"],
        borderpad=1,
    )


def _load(canvas: _Canvas) -> None:
    """Draw open connections, and those completed on an axis of their own, under the memory."""
    figure, unit_s = canvas.figure, canvas.axis.unit_s
    figure.update_layout(
        yaxis={"domain": [0.34, 1]},
        xaxis={"anchor": "y2"},
        yaxis2={**base_layout(canvas.run, 0)["yaxis"], "domain": [0, 0.27], "rangemode": "tozero"},
    )
    stamps = times_s(canvas.run)
    opened = load_column(canvas.run, "open_connections")
    if opened is not None:
        t_s, values = thin(stamps, opened)
        figure.add_scatter(
            x=t_s / unit_s,
            y=values,
            yaxis="y2",
            name="open connections",
            mode="lines",
            line={"width": 1, "shape": "hv", "color": LIGHT["open"]},
            fill="tozeroy",
            fillcolor=LIGHT["open_fill"],
            hovertemplate="%{y:,.0f}",
        )
        figure.update_layout(
            yaxis2={"title": {"text": "open"}, "dtick": whole_steps(float(np.nanmax(opened)))}
        )
    completed = load_column(canvas.run, "connections_completed")
    if completed is None:
        return
    own_axis = "y3" if opened is not None else "y2"
    t_s, values = thin(stamps, completed)
    figure.add_scatter(
        x=t_s / unit_s,
        y=values,
        yaxis=own_axis,
        name="connections completed",
        mode=mode_for(values),
        line={"width": 1.8, "color": LIGHT["completed"]},
        hovertemplate="%{y:,.0f}",
    )
    if own_axis == "y2":
        figure.update_layout(yaxis2={"title": {"text": "completed"}})
        return
    side = {
        "overlaying": "y2",
        "side": "right",
        "showgrid": False,
        "tickmode": "auto",
        "anchor": "x",
        "title": {"text": "completed"},
    }
    figure.update_layout(yaxis3={**base_layout(canvas.run, 0)["yaxis"], "rangemode": "tozero", **side})

"""The main chart, drawn: memory, what is believed of it, and the load under it on the same time axis."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from soak.report.model.pictures.charts import MIB
from soak.report.palette import LIGHT
from soak.report.plotly_charts import Drawn, base_layout, mode_for, whole_steps

if TYPE_CHECKING:
    from soak.report.model.pictures.memory import MemoryPicture
    from soak.report.model.pictures.time_axis import TimeAxis

HEIGHT_PX = 560
HEIGHT_WITHOUT_LOAD_PX = 420
CLOSE_HEIGHT_PX = 320


@dataclass(frozen=True)
class _Canvas:
    """The figure being drawn, and what every part of it needs."""

    figure: go.Figure
    axis: TimeAxis
    memory: MemoryPicture


def memory_chart(memory: MemoryPicture) -> Drawn:
    """Draw RSS, judged floors, what is believed of them, warm-up, rests and marks; the load below."""
    axis = memory.axis
    height_px = HEIGHT_PX if memory.has_load else HEIGHT_WITHOUT_LOAD_PX
    canvas = _Canvas(go.Figure(layout=base_layout(axis, height_px)), axis, memory)
    _rss(canvas)
    _believed(canvas)
    _floors(canvas)
    _plateau(canvas)
    _happenings(canvas)
    canvas.figure.update_layout(
        yaxis={"title": {"text": "memory, MiB"}, "range": [bound / MIB for bound in memory.bounds_bytes]},
        legend={"y": 1.01, "traceorder": "normal"},
    )
    if memory.has_load:
        _load(canvas)
    return Drawn(
        key="memory",
        title="Memory and load over time" if memory.has_load else "Memory over time",
        caption="Shaded: quiet windows, when no connection is open. Their floors carry the verdict."
        if memory.has_rests
        else "",
        figure=canvas.figure,
    )


def close_chart(memory: MemoryPicture) -> Drawn | None:
    """Draw what the verdict rests on alone: points judged, courses believed in, budget; None without any."""
    believed, bounds, axis = memory.believed, memory.close_bounds_bytes, memory.axis
    if believed is None or bounds is None:
        return None
    canvas = _Canvas(go.Figure(layout=base_layout(axis, CLOSE_HEIGHT_PX)), axis, memory)
    _believed(canvas)
    _floors(canvas)
    canvas.figure.update_layout(
        xaxis={"range": [believed.t_s[0] / axis.unit_s, believed.to_s / axis.unit_s]},
        yaxis={"title": {"text": "memory, MiB"}, "range": [bound / MIB for bound in bounds]},
        legend={"y": 1.01, "traceorder": "normal"},
    )
    return Drawn(
        key="close",
        title="What the verdict rests on",
        caption="The band holds the courses that memory is believed to take after warm-up, each edge at the "
        "confidence of the verdict, and looks a little ahead. Dashed is the largest growth accepted.",
        figure=canvas.figure,
    )


def _rss(canvas: _Canvas) -> None:
    rss = canvas.memory.rss
    canvas.figure.add_scatter(
        x=rss.t_s / canvas.axis.unit_s,
        y=rss.values / MIB,
        name="RSS",
        mode=mode_for(rss.values),
        line={"width": 1.5, "color": LIGHT["rss"]},
        hovertemplate="%{y:,.1f} MiB",
    )


def _floors(canvas: _Canvas) -> None:
    floors = canvas.memory.floors
    if floors is None:
        return
    canvas.figure.add_scatter(
        x=floors.t_s / canvas.axis.unit_s,
        y=floors.values / MIB,
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


def _believed(canvas: _Canvas) -> None:
    """Draw the courses that the judge believes in, and the largest that is accepted."""
    believed = canvas.memory.believed
    if believed is None:
        return
    x = believed.t_s / canvas.axis.unit_s
    there_and_back = np.concatenate((x, x[::-1]))
    edge = np.concatenate((believed.high, believed.low[::-1])) / MIB
    canvas.figure.add_scatter(
        x=there_and_back,
        y=edge,
        name=believed.band_label,
        legendgroup="believed",
        showlegend=False,
        fill="toself",
        fillcolor=LIGHT["trend_band"],
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
    )
    canvas.figure.add_scatter(
        x=x,
        y=believed.median / MIB,
        name=f"{believed.label}, {believed.band_label}",
        legendgroup="believed",
        mode="lines",
        line={"width": 2.5, "color": LIGHT["trend"]},
        hoverinfo="skip",
    )
    if believed.budget is None:
        return
    canvas.figure.add_scatter(
        x=x,
        y=believed.budget / MIB,
        name=believed.budget_label,
        mode="lines",
        line={"width": 1.8, "dash": "longdash", "color": LIGHT["budget"]},
        hoverinfo="skip",
    )


def _plateau(canvas: _Canvas) -> None:
    plateau, unit_s = canvas.memory.plateau, canvas.axis.unit_s
    if plateau is None:
        return
    canvas.figure.add_scatter(
        x=[plateau.from_s / unit_s, plateau.to_s / unit_s],
        y=[plateau.level_bytes / MIB] * 2,
        name=plateau.label,
        mode="lines",
        line={"width": 2, "dash": "dash", "color": LIGHT["plateau"]},
        hoverinfo="skip",
    )


def _happenings(canvas: _Canvas) -> None:
    """Mark where warm-up ends, shade the quiet windows, mark restarts, exits and faults."""
    warm_up, unit_s = canvas.memory.warm_up, canvas.axis.unit_s
    if warm_up is not None:
        _vertical(canvas, warm_up.t_s, warm_up.label, "warm_up", level=0)
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
        for start_s, end_s in canvas.memory.shaded_rests_s
    ]
    if shapes:
        canvas.figure.update_layout(shapes=[*canvas.figure.layout.shapes, *shapes])
    for number, mark in enumerate(canvas.memory.marks):
        _vertical(canvas, mark.t_s, html.escape(mark.label), "mark", level=1 + number % 4)


def _vertical(canvas: _Canvas, t_s: float, label: str, colour: str, *, level: int) -> None:
    """Draw a labelled vertical line; labels of neighbouring lines sit at different `level`s."""
    x = t_s / canvas.axis.unit_s
    to_the_left = t_s > 0.5 * canvas.axis.last_sample_s
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
        xanchor="right" if to_the_left else "left",
        yanchor="bottom",
        xshift=-4 if to_the_left else 4,
        font={"color": LIGHT[colour], "size": 11},
        bgcolor=LIGHT["paper"],
        borderpad=1,
    )


def _load(canvas: _Canvas) -> None:
    """Draw open connections, and those completed on an axis of their own, under the memory."""
    figure, unit_s = canvas.figure, canvas.axis.unit_s
    plain_axis = base_layout(canvas.axis, 0)["yaxis"]
    figure.update_layout(
        yaxis={"domain": [0.34, 1]},
        xaxis={"anchor": "y2"},
        yaxis2={**plain_axis, "domain": [0, 0.27], "rangemode": "tozero"},
    )
    opened, completed = canvas.memory.open_connections, canvas.memory.connections_completed
    if opened is not None:
        figure.add_scatter(
            x=opened.t_s / unit_s,
            y=opened.values,
            yaxis="y2",
            name="open connections",
            mode="lines",
            line={"width": 1, "shape": "hv", "color": LIGHT["open"]},
            fill="tozeroy",
            fillcolor=LIGHT["open_fill"],
            hovertemplate="%{y:,.0f}",
        )
        figure.update_layout(
            yaxis2={"title": {"text": "open"}, "dtick": whole_steps(float(np.nanmax(opened.values)))}
        )
    if completed is None:
        return
    own_axis = "y3" if opened is not None else "y2"
    figure.add_scatter(
        x=completed.t_s / unit_s,
        y=completed.values,
        yaxis=own_axis,
        name="connections completed",
        mode=mode_for(completed.values),
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
    figure.update_layout(yaxis3={**plain_axis, "rangemode": "tozero", **side})

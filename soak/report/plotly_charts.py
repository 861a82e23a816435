"""The charts of a report as interactive figures, in the light palette."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from soak.report.model.pictures.charts import Chart, ErrorRateChart, LineChart, StackChart, Waterfall
from soak.report.model.pictures.error_rates import WINDOWS
from soak.report.model.pictures.time_axis import TimeAxis
from soak.report.palette import LIGHT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from soak.report.model.pictures.charts import Line

SMALL_HEIGHT_PX = 250
TINY_HEIGHT_PX = 170
FEW_STEPS = 5
"""Up to this span plotly would put fractions on an axis of counts."""


@dataclass(frozen=True)
class Drawn:
    """One chart, drawn, with the words around it."""

    key: str
    """Identifier within the page."""
    title: str
    caption: str
    figure: go.Figure


def drawn(charts: Iterable[Chart], axis: TimeAxis) -> tuple[Drawn, ...]:
    """Draw charts on the time axis of their run."""
    return tuple(Drawn(chart.key, chart.title, chart.caption, draw(chart, axis)) for chart in charts)


@singledispatch
def draw(chart: Chart, axis: TimeAxis) -> go.Figure:  # noqa: ARG001 - what each kind of chart is drawn on
    """Draw one chart of a known kind; raises TypeError for another."""
    raise TypeError(f"no figure is known for a {type(chart).__name__}")


@draw.register
def _(chart: LineChart, axis: TimeAxis) -> go.Figure:
    figure = go.Figure(layout=base_layout(axis, TINY_HEIGHT_PX if chart.is_tiny else SMALL_HEIGHT_PX))
    suffix = f" {chart.unit}" if chart.unit else ""
    for line in chart.lines:
        style = {"width": 1.4, "color": LIGHT[line.colour]}
        figure.add_scatter(
            x=line.t_s / axis.unit_s,
            y=line.values,
            name=line.name,
            mode=mode_for(line.values),
            line=style | ({"dash": "dot"} if line.is_dotted else {}),
            hovertemplate="%{y:,.4~g}" + suffix,
        )
    if chart.trend is not None:
        (from_s, first), (to_s, last) = chart.trend
        figure.add_scatter(
            x=[from_s / axis.unit_s, to_s / axis.unit_s],
            y=[first, last],
            name="trend",
            mode="lines",
            line={"width": 2.5, "color": LIGHT["trend"]},
            hoverinfo="skip",
        )
    bounds = (
        {"rangemode": "tozero"} if chart.bounds is None else {"range": chart.bounds, "rangemode": "normal"}
    )
    steps = whole_steps(_span(chart)) if chart.whole_steps else None
    figure.update_layout(
        showlegend=None if chart.has_legend else False,
        yaxis={**bounds, "ticksuffix": suffix or None, "dtick": steps},
    )
    return figure


def _span(chart: LineChart) -> float:
    """Return how far the readings of a chart lie apart; from zero where its axis begins there."""
    lowest = 0.0 if chart.bounds is None else min(float(line.values.min()) for line in chart.lines)
    return max(float(line.values.max()) for line in chart.lines) - lowest


@draw.register
def _(chart: StackChart, axis: TimeAxis) -> go.Figure:
    figure = go.Figure(layout=base_layout(axis, SMALL_HEIGHT_PX))
    for layer in chart.layers:
        figure.add_scatter(
            x=layer.t_s / axis.unit_s,
            y=layer.values,
            name=layer.name,
            mode="lines",
            stackgroup="layers",
            line={"width": 0.6, "color": LIGHT[layer.colour]},
            fillcolor=LIGHT[layer.colour],
            hovertemplate="%{y:+,.2f} MiB" if chart.is_growth else "%{y:,.1f} MiB",
        )
    figure.update_layout(
        yaxis={"ticksuffix": " MiB", "rangemode": "tozero"}, showlegend=True if chart.is_growth else None
    )
    return figure


@draw.register
def _(chart: Waterfall, axis: TimeAxis) -> go.Figure:
    figure = go.Figure(layout=base_layout(axis, SMALL_HEIGHT_PX))
    figure.add_waterfall(
        x=[step.name for step in chart.steps],
        y=[step.size_mib for step in chart.steps],
        measure=["absolute", *["relative"] * (len(chart.steps) - 2), "total"],
        text=[step.text for step in chart.steps],
        textposition="outside",
        cliponaxis=False,
        increasing={"marker": {"color": LIGHT["class_arenas"]}},
        decreasing={"marker": {"color": LIGHT["plateau"]}},
        totals={"marker": {"color": LIGHT["resource"]}},
        connector={"line": {"color": LIGHT["axis"], "width": 1}},
        hovertemplate="%{x}: %{text}<extra></extra>",
    )
    figure.update_layout(
        hovermode="closest",
        showlegend=False,
        xaxis={"type": "category", "range": None, "autorange": True, "ticksuffix": "", "nticks": 20},
        yaxis={"ticksuffix": " MiB", "range": chart.bounds},
    )
    return figure


@draw.register
def _(chart: ErrorRateChart, axis: TimeAxis) -> go.Figure:
    figure = go.Figure(layout=base_layout(axis, SMALL_HEIGHT_PX))
    rate = chart.rate
    figure.add_scatter(
        x=rate.t_s / axis.unit_s,
        y=rate.values,
        name=rate.name,
        mode="lines+markers" if len(rate.t_s) <= WINDOWS else "lines",
        line={"width": 1.4, "color": LIGHT[rate.colour]},
        marker={"size": 5},
        hovertemplate="%{y:.3~g} %",
    )
    figure.update_layout(
        showlegend=False,
        yaxis={"ticksuffix": " %", "range": [0, max(1.0, float(rate.values.max()) * 1.15)]},
    )
    if chart.changes is not None:
        _add_changes(figure, chart.changes, axis)
    return figure


def _add_changes(figure: go.Figure, changes: Line, axis: TimeAxis) -> None:
    """Draw the transcripts that changed as points on an axis of their own."""
    figure.add_scatter(
        x=changes.t_s / axis.unit_s,
        y=changes.values,
        yaxis="y2",
        name=changes.name,
        mode="markers",
        marker={"size": 9, "symbol": "x", "color": LIGHT[changes.colour]},
        hovertemplate="%{y:,.0f}",
    )
    highest = float(changes.values.max())
    figure.update_layout(
        showlegend=True,
        yaxis2={
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "range": [0, highest * 1.15 + 0.5],
            "dtick": whole_steps(highest),
            "nticks": 6,
            "automargin": True,
            "color": LIGHT[changes.colour],
        },
    )


def whole_steps(span: float) -> int | None:
    """Return the distance of ticks of an axis of counts: 1 where plotly would choose fractions."""
    return 1 if span <= FEW_STEPS else None


def mode_for(values: NDArray[np.float64]) -> str:
    """Return how to draw: a line has no length with fewer than three points, so these get dots."""
    return "lines" if np.isfinite(values).sum() > 2 else "lines+markers"


def base_layout(axis: TimeAxis, height_px: int) -> dict[str, Any]:
    """Return what all charts of a run share: type, colours, time axis, grid, hover, margins."""
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
            "range": [second / axis.unit_s for second in (axis.from_s, axis.to_s)],
        },
        "yaxis": {**grid, "separatethousands": True, "nticks": 6},
    }

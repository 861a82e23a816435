"""Where growth sits, drawn: by class of memory over time, and as a waterfall from start to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from soak.columns import declared
from soak.quantity import format_bytes
from soak.report.charts import MIB, SMALL_HEIGHT_PX, Chart, base_layout, run_time_axis
from soak.report.evidence import column, times_s
from soak.report.palette import LIGHT
from soak.report.thinning import thinned_indices
from soak.verdict.attribution import CLASS_COLUMNS

if TYPE_CHECKING:
    from soak.record import Run
    from soak.verdict.attribution import Attribution, ClassGrowth

SHOWN_SHARE = 0.01
"""Classes that never moved by this share of the largest movement are left out of the pictures."""


def attribution_charts(run: Run, attribution: Attribution | None) -> list[Chart]:
    """Return both charts; none where nothing is attributed, or nothing moved."""
    if attribution is None:
        return []
    return [chart for chart in (_waterfall(run, attribution), _growth(run)) if chart is not None]


def _waterfall(run: Run, attribution: Attribution) -> Chart | None:
    steps = _told(attribution)
    if not steps:
        return None
    rest = attribution.growth_bytes - sum(each.growth_bytes for each in steps)
    names = ["start", *(str(each.memory_class) for each in steps)]
    values = [attribution.start_rss_bytes, *(each.growth_bytes for each in steps)]
    if abs(rest) >= SHOWN_SHARE * abs(attribution.growth_bytes):
        names.append("the rest")
        values.append(rest)
    levels = np.cumsum(values)
    names.append("end")
    values.append(attribution.end_rss_bytes)
    low, high = float(levels.min()), float(max(*levels, attribution.end_rss_bytes))
    air = 0.18 * max(high - low, MIB)
    figure = go.Figure(layout=base_layout(run, SMALL_HEIGHT_PX))
    figure.add_waterfall(
        x=names,
        y=[value / MIB for value in values],
        measure=["absolute", *["relative"] * (len(names) - 2), "total"],
        text=[
            format_bytes(value, signed=0 < number < len(values) - 1) for number, value in enumerate(values)
        ],
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
        yaxis={"ticksuffix": " MiB", "range": [max(0.0, low - air) / MIB, (high + air) / MIB]},
    )
    accounted = attribution.accounted_share
    caption = "RSS from the first reading to the last quiet one. The axis does not start at zero."
    if accounted is not None:
        caption += f" The named classes account for {100 * accounted:.0f} % of the growth."
    inside = attribution.inside
    if inside is not None and inside.arenas and inside.arena_bytes is not None:
        held = format_bytes(inside.arena_bytes, signed=True)
        caption += f" Of it ONNX Runtime's arenas hold {held}, in blocks of malloc's."
    return Chart("waterfall", "From start to end, by where it is", caption, figure)


def _told(attribution: Attribution) -> list[ClassGrowth]:
    """Return the classes that moved, largest first."""
    largest = max((abs(each.growth_bytes) for each in attribution.classes), default=0.0)
    moved = [each for each in attribution.classes if abs(each.growth_bytes) > SHOWN_SHARE * largest]
    return sorted(moved, key=lambda each: each.growth_bytes, reverse=True)


def _growth(run: Run) -> Chart | None:
    """Stack what each class has gained since the first reading."""
    stamps, base = times_s(run), column(run, "map_rss_bytes")
    if base is None:
        return None
    known = np.flatnonzero(np.isfinite(base))
    if len(known) < 3:
        return None
    picked = known[thinned_indices(base[known])]
    gains = {
        each: np.maximum(0.0, values[picked] - values[known[0]])
        for each, name in CLASS_COLUMNS.items()
        if (values := column(run, name)) is not None
    }
    largest = max(float(np.nanmax(gain)) for gain in gains.values())
    if largest <= 0:
        return None
    axis = run_time_axis(run)
    figure = go.Figure(layout=base_layout(run, SMALL_HEIGHT_PX))
    for each, gain in gains.items():
        if np.nanmax(gain) < SHOWN_SHARE * largest:
            continue
        colour = LIGHT[declared(CLASS_COLUMNS[each]).drawn or "class_other"]
        figure.add_scatter(
            x=stamps[picked] / axis.unit_s,
            y=gain / MIB,
            name=str(each),
            mode="lines",
            stackgroup="classes",
            line={"width": 0.6, "color": colour},
            fillcolor=colour,
            hovertemplate="%{y:+,.2f} MiB",
        )
    figure.update_layout(yaxis={"ticksuffix": " MiB", "rangemode": "tozero"}, showlegend=True)
    caption = "What each class has gained since the first reading; losses are left out."
    return Chart("whereabouts", "Growth by where it is", caption, figure)

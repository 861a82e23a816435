"""Several runs in one page."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote

import plotly.graph_objects as go

from soak.report.file_names import HTML_NAME
from soak.report.model.pictures.charts import MIB
from soak.report.page import charts_json, page, template
from soak.report.palette import LIGHT, SERIES
from soak.report.picture import shortened
from soak.report.plotly_charts import Drawn, base_layout, mode_for

if TYPE_CHECKING:
    from pathlib import Path

    from soak.report.model.comparison import Comparison, ComparisonRow

CHART_HEIGHT_PX = 420
DASHES = ("solid", "dash", "dot", "dashdot")


def render_comparison_html(compared: Comparison, directory: Path) -> str:
    """Return the comparison as one HTML document; links to the reports are relative to `directory`."""
    chart = _chart(compared) if compared.curves else None
    return template("comparison.html.j2").render(
        page=page(compared.title),
        compared=compared,
        rows=[(row, _link(row, directory)) for row in compared.rows],
        chart=chart,
        charts_json=charts_json([] if chart is None else [chart]),
    )


def _link(row: ComparisonRow, directory: Path) -> str | None:
    if not (row.path / HTML_NAME).is_file():
        return None
    return quote(os.path.relpath(row.path / HTML_NAME, directory))


def _chart(compared: Comparison) -> Drawn:
    axis = compared.axis
    figure = go.Figure(layout=base_layout(axis, CHART_HEIGHT_PX))
    for each in compared.curves:
        figure.add_scatter(
            x=each.curve.t_s / axis.unit_s,
            y=each.curve.values / MIB,
            name=shortened(each.name, 40).replace("<", "‹"),
            mode=mode_for(each.curve.values),
            line={
                "width": 1.6,
                "color": LIGHT[SERIES[each.number % len(SERIES)]],
                "dash": DASHES[each.number // len(SERIES) % len(DASHES)],
            },
            hovertemplate="%{y:,.1f} MiB",
        )
    figure.update_layout(
        yaxis={"title": {"text": "RSS, MiB"}, "range": [bound / MIB for bound in compared.bounds_bytes]},
        showlegend=True,
    )
    return Drawn("comparison", "Memory over time", "Each run from its own start.", figure)

"""`comparison.html` and `comparison.png`: several runs in one page and one picture."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import plotly.graph_objects as go
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from soak.quantity import MISSING
from soak.report.charts import Chart, base_layout, mode_for
from soak.report.comparison import (
    PUBLISHED_NOTE,
    ComparisonRow,
    comparison_rows,
    comparison_sentence,
)
from soak.report.evidence import TimeAxis, axis_range, column, duration_s, time_axis, times_s
from soak.report.file_names import HTML_NAME
from soak.report.html import charts_json, page, template
from soak.report.palette import LIGHT, SERIES, VERDICT
from soak.report.png import DPI, FONT_POINTS, MIB, save, shortened
from soak.report.thinning import thin
from soak.report.transcript_comparison import transcript_notes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from soak.record import Run
    from soak.verdict.verdict import Verdict

COMPARISON_HTML_NAME = "comparison.html"
COMPARISON_PNG_NAME = "comparison.png"
TITLE = "Memory of several configurations"
CHART_HEIGHT_PX = 420
DASHES = ("solid", "dash", "dot", "dashdot")


def write_comparison(runs: Sequence[tuple[Run, Verdict]], directory: Path) -> tuple[Path, Path]:
    """Write `comparison.html` and `comparison.png` into `directory` and return their paths.

    OSError when they cannot be written. Each row of the page leads to the run's own report.
    """
    html_path, png_path = directory / COMPARISON_HTML_NAME, directory / COMPARISON_PNG_NAME
    html_path.write_text(render_comparison_html(runs, directory), encoding="utf-8")
    write_comparison_png(runs, png_path)
    return html_path, png_path


def render_comparison_html(runs: Sequence[tuple[Run, Verdict]], directory: Path) -> str:
    """Return the comparison as one HTML document; links to the reports are relative to `directory`."""
    rows = comparison_rows(runs)
    chart = _chart(runs)
    return template("comparison.html.j2").render(
        page=page(TITLE),
        title=TITLE,
        sentence=comparison_sentence(rows),
        rows=[(row, _link(run, directory)) for row, (run, _) in zip(rows, runs, strict=True)],
        published_note=PUBLISHED_NOTE if any(row.published for row in rows) else None,
        transcript_notes=transcript_notes([run for run, _ in runs]),
        has_error_rates=any(row.error_rate != MISSING for row in rows),
        chart=chart,
        charts_json=charts_json([chart] if chart else []),
    )


def _link(run: Run, directory: Path) -> str | None:
    if not (run.path / HTML_NAME).is_file():
        return None
    return quote(os.path.relpath(run.path / HTML_NAME, directory))


def _longest(runs: Sequence[tuple[Run, Verdict]]) -> Run | None:
    with_memory = [run for run, _ in runs if column(run, "rss_bytes") is not None]
    return max(with_memory, key=duration_s, default=None)


def _chart(runs: Sequence[tuple[Run, Verdict]]) -> Chart | None:
    longest = _longest(runs)
    if longest is None:
        return None
    axis = time_axis(duration_s(longest))
    figure = go.Figure(layout=base_layout(longest, CHART_HEIGHT_PX))
    for number, (run, _) in enumerate(runs):
        rss = column(run, "rss_bytes")
        if rss is None:
            continue
        t_s, values = thin(_since_start_s(run), rss)
        figure.add_scatter(
            x=t_s / axis.unit_s,
            y=values / MIB,
            name=shortened(run.name, 40).replace("<", "‹"),
            mode=mode_for(values),
            line={
                "width": 1.6,
                "color": LIGHT[SERIES[number % len(SERIES)]],
                "dash": DASHES[number // len(SERIES) % len(DASHES)],
            },
            hovertemplate="%{y:,.1f} MiB",
        )
    figure.update_layout(
        yaxis={"title": {"text": "RSS, MiB"}, "range": _memory_range(runs)},
        xaxis={"range": [0, max(duration_s(longest), 1.0) / axis.unit_s]},
        showlegend=True,
    )
    return Chart("comparison", "Memory over time", "Each run from its own start.", figure)


def _since_start_s(run: Run) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    stamps = times_s(run)
    return stamps - float(np.nanmin(stamps))


def _memory_range(runs: Sequence[tuple[Run, Verdict]]) -> tuple[float, float]:
    """Return the bounds, in MiB, of an axis for the memory of all runs."""
    readings = [rss for run, _ in runs if (rss := column(run, "rss_bytes")) is not None]
    together = np.concatenate(readings)
    bottom, top = axis_range(float(np.nanmin(together)), float(np.nanmax(together)))
    return bottom / MIB, top / MIB


def write_comparison_png(runs: Sequence[tuple[Run, Verdict]], path: Path) -> None:
    """Write the picture of a comparison, 1600 pixels wide and as high as its rows need."""
    rows = comparison_rows(runs)
    notes = transcript_notes([run for run, _ in runs])
    height_inches = 3.9 + 0.36 * len(rows) + 0.17 * len(notes)
    figure = Figure(figsize=(8.0, height_inches), dpi=DPI, facecolor=LIGHT["paper"])
    FigureCanvasAgg(figure)
    canvas = _Inches(figure, height_inches)
    canvas.text(0.02, 0.26, TITLE, fontsize=14, fontweight="bold", color=LIGHT["ink"])
    canvas.text(
        0.02, 0.56, shortened(comparison_sentence(rows), 120), fontsize=FONT_POINTS, color=LIGHT["ink"]
    )
    bottom_inches = _rows(canvas, rows, 0.92)
    for note in notes:
        colour = VERDICT["failed"] if note.is_warning else LIGHT["muted"]
        canvas.text(0.02, bottom_inches, shortened(note.text, 130), fontsize=7.5, color=colour)
        bottom_inches += 0.17
    if any(row.published for row in rows):
        canvas.text(0.02, bottom_inches + 0.02, f"* {PUBLISHED_NOTE}", fontsize=6.6, color=LIGHT["muted"])
    longest = _longest(runs)
    if longest is not None:
        top = 1 - (bottom_inches + 0.35) / height_inches
        low = 0.36 / height_inches
        _curves(figure.add_axes((0.085, low, 0.895, top - low)), runs, time_axis(duration_s(longest)))
    save(figure, path)


class _Inches:
    """Text on a figure, placed by inches from its top, so that rows keep their distance at any height."""

    def __init__(self, figure: Figure, height_inches: float) -> None:
        self._figure = figure
        self._height_inches = height_inches

    def text(self, x: float, down_inches: float, text: str, **style: Any) -> None:
        y = 1 - down_inches / self._height_inches
        self._figure.text(x, y, text, va="center", parse_math=False, **style)


_COLUMNS = (
    ("Run", 0.02, "left"),
    ("Verdict", 0.175, "left"),
    ("Start", 0.385, "right"),
    ("Plateau", 0.49, "right"),
    ("Growth", 0.59, "right"),
    ("Per hour", 0.7, "right"),
    ("Per conn.", 0.795, "right"),
    ("CER", 0.86, "right"),
    ("Published*", 0.98, "right"),
)


def _rows(canvas: _Inches, rows: Sequence[ComparisonRow], down_inches: float) -> float:
    """Write the table from `down_inches` on; return where it ends."""
    columns = _COLUMNS if any(row.published for row in rows) else _COLUMNS[:-1]
    has_error_rates = any(row.error_rate != MISSING for row in rows)
    for title, x, side in columns:
        if title == "CER" and not has_error_rates:
            continue
        canvas.text(x, down_inches, title, fontsize=FONT_POINTS - 0.5, color=LIGHT["muted"], ha=side)
    for row in rows:
        down_inches += 0.3
        level = row.level.replace(" at the end", "†")
        cells = (
            shortened(row.name, 16),
            f"{row.sign} {row.label}",
            row.start,
            level,
            row.growth,
            row.per_hour,
            row.per_connection,
            row.error_rate if has_error_rates else "",
            str(row.published or ""),
        )
        colours = {1: VERDICT[row.label], 8: LIGHT["muted"]}
        for place, ((_, x, side), cell) in enumerate(zip(columns, cells, strict=False)):
            weight = "bold" if place < 2 else "normal"
            colour = colours.get(place, LIGHT["ink"])
            canvas.text(x, down_inches, cell, fontsize=FONT_POINTS, color=colour, ha=side, fontweight=weight)
    down_inches += 0.28
    if not all(row.has_plateau for row in rows):
        note = "† where the run ended: there is no plateau."
        canvas.text(0.02, down_inches, note, fontsize=6.6, color=LIGHT["muted"])
        down_inches += 0.17
    return down_inches


def _curves(axes: Axes, runs: Sequence[tuple[Run, Verdict]], axis: TimeAxis) -> None:
    styles = ("-", "--", ":", "-.")
    for number, (run, _) in enumerate(runs):
        rss = column(run, "rss_bytes")
        if rss is None:
            continue
        t_s, values = thin(_since_start_s(run), rss)
        axes.plot(
            t_s / axis.unit_s,
            values / MIB,
            color=LIGHT[SERIES[number % len(SERIES)]],
            linestyle=styles[number // len(SERIES) % len(styles)],
            linewidth=1.2,
            label=shortened(run.name, 24).replace("$", "\\$").lstrip("_"),
        )
    axes.set_ylim(*_memory_range(runs))
    axes.set_xlim(0, max(1.0, *(duration_s(run) for run, _ in runs)) / axis.unit_s)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(LIGHT["axis"])
    axes.grid(axis="y", color=LIGHT["grid"], linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=FONT_POINTS, colors=LIGHT["ink"], color=LIGHT["axis"], length=3)
    axes.set_ylabel("RSS, MiB", fontsize=FONT_POINTS, color=LIGHT["ink"])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} {axis.unit}"))
    axes.xaxis.set_major_locator(MaxNLocator(9, steps=[1, 2, 5, 10]))
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=4,
        fontsize=FONT_POINTS,
        frameon=False,
        borderaxespad=0.1,
    )

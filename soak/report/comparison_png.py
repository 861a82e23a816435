"""Several runs in one picture: the table and the curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.ticker import FuncFormatter

from soak.report.model.pictures.charts import MIB
from soak.report.palette import LIGHT, SERIES, VERDICT
from soak.report.picture import FONT_POINTS, blank, dress, label_time, save, shortened

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from soak.report.model.comparison import Comparison


def write_comparison_png(compared: Comparison, path: Path) -> None:
    """Write the picture of a comparison, 1600 pixels wide and as high as its rows need."""
    notes = compared.transcript_notes
    height_inches = 3.9 + 0.36 * len(compared.rows) + 0.17 * len(notes)
    figure = blank(8.0, height_inches)
    canvas = _Inches(figure, height_inches)
    canvas.text(0.02, 0.26, compared.title, fontsize=14, fontweight="bold", color=LIGHT["ink"])
    canvas.text(0.02, 0.56, shortened(compared.sentence, 120), fontsize=FONT_POINTS, color=LIGHT["ink"])
    bottom_inches = _rows(canvas, compared, 0.92)
    for note in notes:
        colour = VERDICT["failed"] if note.is_warning else LIGHT["muted"]
        canvas.text(0.02, bottom_inches, shortened(note.text, 130), fontsize=7.5, color=colour)
        bottom_inches += 0.17
    if compared.published_note is not None:
        words = f"* {compared.published_note}"
        canvas.text(0.02, bottom_inches + 0.02, words, fontsize=6.6, color=LIGHT["muted"])
    if compared.curves:
        top = 1 - (bottom_inches + 0.35) / height_inches
        low = 0.36 / height_inches
        _curves(figure.add_axes((0.085, low, 0.895, top - low)), compared)
    save(figure, path)


class _Inches:
    """Text on a figure, placed by inches from its top, so that rows keep their distance at any height."""

    def __init__(self, figure: Figure, height_inches: float) -> None:
        self._figure = figure
        self._height_inches = height_inches

    def text(self, x: float, down_inches: float, text: str, **style: Any) -> None:
        y = 1 - down_inches / self._height_inches
        self._figure.text(x, y, text, va="center", **style)


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


def _rows(canvas: _Inches, compared: Comparison, down_inches: float) -> float:
    """Write the table from `down_inches` on; return where it ends."""
    columns = _COLUMNS[:-1] if compared.published_note is None else _COLUMNS
    has_error_rates = compared.has_error_rates
    for title, x, side in columns:
        if title == "CER" and not has_error_rates:
            continue
        canvas.text(x, down_inches, title, fontsize=FONT_POINTS - 0.5, color=LIGHT["muted"], ha=side)
    for row in compared.rows:
        down_inches += 0.3
        level = row.reached if row.levels.has_plateau else f"{row.reached}†"
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
    if not compared.all_plateau:
        note = "† where the run ended: there is no plateau."
        canvas.text(0.02, down_inches, note, fontsize=6.6, color=LIGHT["muted"])
        down_inches += 0.17
    return down_inches


def _curves(axes: Axes, compared: Comparison) -> None:
    styles = ("-", "--", ":", "-.")
    axis = compared.axis
    for each in compared.curves:
        axes.plot(
            each.curve.t_s / axis.unit_s,
            each.curve.values / MIB,
            color=LIGHT[SERIES[each.number % len(SERIES)]],
            linestyle=styles[each.number // len(SERIES) % len(styles)],
            linewidth=1.2,
            label=shortened(each.name, 24).replace("$", "\\$").lstrip("_"),
        )
    axes.set_ylim(*(bound / MIB for bound in compared.bounds_bytes))
    axes.set_xlim(0, axis.to_s / axis.unit_s)
    dress(axes)
    label_time(axes, axis)
    axes.set_ylabel("RSS, MiB", fontsize=FONT_POINTS, color=LIGHT["ink"])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=4,
        fontsize=FONT_POINTS,
        frameon=False,
        borderaxespad=0.1,
    )

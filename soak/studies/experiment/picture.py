"""The picture of an experiment: memory against the price in CPU time, one mark for each mitigation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from soak.quantity import is_known
from soak.report.model.pictures.charts import MIB
from soak.report.palette import LIGHT
from soak.report.picture import DPI, FONT_POINTS
from soak.studies.experiment.mitigations import BASELINE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from soak.studies.experiment.results import MitigationRow
    from soak.verdict.verdict import Estimate

WIDTH_INCHES, ROW_INCHES, MARGIN_INCHES = 8.0, 0.34, 1.25


def picture(rows: Sequence[MitigationRow]) -> Figure:
    """Draw the level and the CPU time of every mitigation with their intervals, sorted by level."""
    known = [row for row in rows if is_known(row.level_bytes.estimate)]
    ordered = sorted(known, key=lambda row: row.level_bytes.estimate, reverse=True)
    height = MARGIN_INCHES + ROW_INCHES * max(1, len(ordered))
    figure = Figure(figsize=(WIDTH_INCHES, height), dpi=DPI, facecolor=LIGHT["paper"])
    FigureCanvasAgg(figure)
    figure.text(
        0.02, 1 - 0.3 / height, "Memory and price of each mitigation", fontsize=13, fontweight="bold",
        color=LIGHT["ink"], va="center",
    )  # fmt: skip
    bottom, top = 0.55 / height, 1 - 0.62 / height
    memory = figure.add_axes((0.17, bottom, 0.39, top - bottom))
    price = figure.add_axes((0.6, bottom, 0.38, top - bottom), sharey=memory)
    for place, row in enumerate(ordered):
        colour = LIGHT["muted"] if row.name == BASELINE else LIGHT["rss"]
        _mark(memory, place, row.level_bytes, MIB, colour)
        _mark(price, place, row.cpu_s_per_audio_s, 1.0, colour)
    for axes, label in ((memory, "RSS at the end, MiB"), (price, "CPU seconds per second of audio")):
        _dress(axes, label)
    for row in ordered:
        if row.name == BASELINE:
            memory.axvline(row.level_bytes.estimate / MIB, color=LIGHT["axis"], linewidth=1, zorder=0)
            price.axvline(row.cpu_s_per_audio_s.estimate, color=LIGHT["axis"], linewidth=1, zorder=0)
    memory.set_yticks(range(len(ordered)), [row.name for row in ordered])
    memory.set_ylim(-0.6, max(1, len(ordered)) - 0.4)
    price.tick_params(labelleft=False)
    return figure


def _mark(axes: Axes, place: int, found: Estimate, divisor: float, colour: str) -> None:
    if not is_known(found.estimate):
        return
    if is_known(found.low):
        axes.plot([found.low / divisor, found.high / divisor], [place, place], color=colour, linewidth=2)
    axes.plot([found.estimate / divisor], [place], "o", color=colour, markersize=5)


def _dress(axes: Axes, label: str) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(LIGHT["axis"])
    axes.grid(axis="x", color=LIGHT["grid"], linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=FONT_POINTS, colors=LIGHT["ink"], color=LIGHT["axis"], length=0)
    axes.set_xlabel(label, fontsize=FONT_POINTS, color=LIGHT["ink"])

"""`memory.png`: the verdict, the memory and the load at a glance, to be pasted into an issue."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from soak.report.model.pictures.charts import MIB
from soak.report.model.pictures.memory import Curve
from soak.report.palette import LIGHT, VERDICT
from soak.report.picture import FONT_POINTS, blank, dress, label_time, save, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from soak.report.model import ReportModel
    from soak.report.model.headline import Headline
    from soak.report.model.key_figures import Figure as KeyFigure
    from soak.report.model.pictures.charts import LineChart
    from soak.report.model.pictures.memory import MemoryPicture
    from soak.report.model.pictures.time_axis import TimeAxis

SIZE_INCHES = (8.0, 5.0)
VALUE_POINTS = 11
FIGURES_AT_FULL_SIZE = 6
"""More key figures than this are written smaller, or they would run into each other."""
MOST_CLIMBING = 2
"""Resources that climb among the figures: more would run into each other."""
SENTENCE_CHARACTERS = 112
HAIR = 0.2
"""Courses that take less of the height than this are drawn once more, closely."""
SMALL_PANEL, PANEL_GAP = 0.145, 0.045
"""Heights of a panel under the memory and of the space above it, as shares of the picture."""


def write_png(model: ReportModel, path: Path) -> None:
    """Write the picture of one run, 1600 x 1000 pixels; raises `SoakError` when `path` cannot be.

    The load is left out where the run did not record it; without one memory reading the picture says so.
    """
    figure = blank(*SIZE_INCHES)
    _title(figure, model.headline)
    _corner(figure, model)
    _figures(figure, model)
    if model.memory is None:
        figure.text(0.5, 0.45, "No memory reading was taken.", ha="center", color=LIGHT["muted"], fontsize=12)
    else:
        _draw(figure, model.memory, model.climbing[:1], model.memory.axis)
    if model.attribution is not None:
        where = shortened(model.attribution.summary, 150)
        figure.text(0.02, 0.018, where, fontsize=7.5, color=LIGHT["muted"], va="center")
    save(figure, path)


def _title(figure: Figure, head: Headline) -> None:
    figure.text(
        0.02,
        0.955,
        f"{head.sign} {head.headline}",
        fontsize=16,
        fontweight="bold",
        color=VERDICT[head.tone],
        va="center",
    )
    text = " ".join(filter(None, (head.sentence, head.settling)))
    lines = textwrap.wrap(text, SENTENCE_CHARACTERS, max_lines=2, placeholder=" …")
    figure.text(
        0.02,
        0.915,
        "\n".join(lines),
        fontsize=FONT_POINTS,
        color=LIGHT["ink"],
        va="top",
        linespacing=1.3,
    )


def _corner(figure: Figure, model: ReportModel) -> None:
    """Write in the upper right which run it is, and under it whether transcripts changed."""
    name = shortened(f"{model.name} · {model.length}", 60)
    changed = None if model.transcripts is None else model.transcripts.change_in_words
    lines = [(name, LIGHT["muted"], "normal")]
    if changed is not None:
        lines.append((f"! {changed}", VERDICT["failed"], "bold"))
    for number, (text, colour, weight) in enumerate(lines):
        figure.text(
            0.98,
            0.955 + 0.013 * (len(lines) - 1) - 0.028 * number,
            text,
            fontsize=FONT_POINTS,
            fontweight=weight,
            color=colour,
            ha="right",
            va="center",
        )


def _figures(figure: Figure, model: ReportModel) -> None:
    """Put the first key figures in a row."""
    # the sentence above names all that climb
    spare = {chart.key for chart in model.climbing[MOST_CLIMBING:]}
    shown = [item for item in model.figures if item.short_label and item.column not in spare]
    for number, item in enumerate(shown):
        x = 0.02 + number * 0.96 / max(len(shown), 4)
        _figure(figure, x, item, min(1.0, FIGURES_AT_FULL_SIZE / len(shown)))


def _figure(figure: Figure, x: float, item: KeyFigure, scale: float) -> None:
    label_points, value_points = (FONT_POINTS - 1) * scale, VALUE_POINTS * scale
    figure.text(x, 0.815, item.short_label, fontsize=label_points, color=LIGHT["muted"], va="center")
    figure.text(
        x, 0.78, item.value, fontsize=value_points, fontweight="bold", color=LIGHT["ink"], va="center"
    )


def _draw(figure: Figure, memory: MemoryPicture, climbing: Sequence[LineChart], axis: TimeAxis) -> None:
    """Draw the memory and under it, each in a panel of its own, what climbs and the load."""
    load = [] if memory.open_connections is None else [memory.open_connections]
    panels: list[LineChart | Curve] = [*climbing, *load]
    # from the bottom up: load, the first resource that climbs, and what is left is the memory's
    bottom = 0.085 + (SMALL_PANEL + PANEL_GAP) * len(panels)
    upper = figure.add_axes((0.085, bottom, 0.895, 0.69 - bottom))
    lowest = upper
    for number, panel in enumerate(panels):
        lowest.tick_params(labelbottom=False)
        panel_bottom = 0.085 + (SMALL_PANEL + PANEL_GAP) * (len(panels) - 1 - number)
        lowest = figure.add_axes((0.085, panel_bottom, 0.895, SMALL_PANEL), sharex=upper)
        if isinstance(panel, Curve):
            _load(lowest, panel, axis)
        else:
            _resource(lowest, panel, axis)
        _style(lowest, memory, axis)
    _style(upper, memory, axis)
    label_time(lowest, axis)
    _memory(upper, memory, axis)


def _style(axes: Axes, memory: MemoryPicture, axis: TimeAxis) -> None:
    dress(axes)
    axes.set_xlim(axis.from_s / axis.unit_s, axis.to_s / axis.unit_s)
    for start_s, end_s in memory.shaded_rests_s:
        axes.axvspan(
            start_s / axis.unit_s, end_s / axis.unit_s, color=LIGHT["muted"], alpha=0.14, linewidth=0
        )


def _memory(axes: Axes, memory: MemoryPicture, axis: TimeAxis) -> None:
    rss = memory.rss
    marker = "o" if np.isfinite(rss.values).sum() < 3 else None
    axes.plot(
        rss.t_s / axis.unit_s, rss.values / MIB, color=LIGHT["rss"], linewidth=1.1, marker=marker, label="RSS"
    )
    _believed(axes, memory, axis)
    _floors(axes, memory, axis)
    _plateau(axes, memory, axis)
    axes.set_ylim(*(bound / MIB for bound in memory.bounds_bytes))
    axes.set_ylabel("memory, MiB", fontsize=FONT_POINTS, color=LIGHT["ink"])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    _verticals(axes, memory, axis)
    _close(axes, memory, axis)
    # above the axes, where no curve can run through it
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=5,
        fontsize=FONT_POINTS,
        frameon=False,
        borderaxespad=0.1,
        handlelength=1.6,
        columnspacing=1.4,
    )


def _floors(axes: Axes, memory: MemoryPicture, axis: TimeAxis) -> None:
    floors = memory.floors
    if floors is None:
        return
    axes.plot(
        floors.t_s / axis.unit_s,
        floors.values / MIB,
        "D",
        markersize=3.6 if len(floors.t_s) < 60 else 2.2,
        color=LIGHT["floor"],
        markeredgecolor="white",
        markeredgewidth=0.4,
        label="floors judged",
    )


def _believed(axes: Axes, memory: MemoryPicture, axis: TimeAxis) -> None:
    """Draw the courses that the judge believes in, and the largest that is accepted."""
    believed = memory.believed
    if believed is None:
        return
    x = believed.t_s / axis.unit_s
    axes.fill_between(
        x, believed.low / MIB, believed.high / MIB, color=LIGHT["trend"], alpha=0.2, linewidth=0
    )
    axes.plot(x, believed.median / MIB, color=LIGHT["trend"], linewidth=2, label=believed.label)
    if believed.budget is not None:
        axes.plot(
            x,
            believed.budget / MIB,
            color=LIGHT["budget"],
            linewidth=1.3,
            linestyle=(0, (7, 3)),
            label=believed.budget_label,
        )


def _close(axes: Axes, memory: MemoryPicture, axis: TimeAxis) -> None:
    """Draw courses that are a hair in the whole picture once more in a corner, with their points."""
    believed, bounds = memory.believed, memory.close_bounds_bytes
    low, high = memory.bounds_bytes
    if believed is None or bounds is None or bounds[1] - bounds[0] > HAIR * (high - low):
        return
    above = sum(bounds) > low + high
    inset = axes.inset_axes((0.44, 0.12 if above else 0.5, 0.53, 0.42), zorder=5)
    inset.set_facecolor(LIGHT["paper"])
    _believed(inset, memory, axis)
    _floors(inset, memory, axis)
    inset.set_xlim(believed.t_s[0] / axis.unit_s, believed.to_s / axis.unit_s)
    inset.set_ylim(*(bound / MIB for bound in bounds))
    inset.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    inset.yaxis.set_major_locator(MaxNLocator(3))
    inset.xaxis.set_major_locator(MaxNLocator(4))
    inset.tick_params(labelsize=FONT_POINTS - 1.5, colors=LIGHT["muted"])
    for side in inset.spines.values():
        side.set_color(LIGHT["axis"])
    inset.set_title("what the verdict rests on", fontsize=FONT_POINTS - 0.5, color=LIGHT["muted"], pad=3)


def _plateau(axes: Axes, memory: MemoryPicture, axis: TimeAxis) -> None:
    plateau = memory.plateau
    if plateau is None:
        return
    axes.plot(
        [plateau.from_s / axis.unit_s, plateau.to_s / axis.unit_s],
        [plateau.level_bytes / MIB] * 2,
        color=LIGHT["plateau"],
        linewidth=1.6,
        linestyle=(0, (4, 3)),
        label=plateau.label,
    )


def _verticals(axes: Axes, memory: MemoryPicture, axis: TimeAxis) -> None:
    """Mark the end of warm-up, restarts, exits and faults, their labels on rows of their own."""
    lines = [(mark.t_s, shortened(mark.label, 40), LIGHT["mark"]) for mark in memory.marks]
    if memory.warm_up is not None:
        lines.insert(0, (memory.warm_up.t_s, memory.warm_up.label, LIGHT["warm_up"]))
    middle_s = axis.last_sample_s / 2
    for number, (t_s, label, colour) in enumerate(lines):
        axes.axvline(t_s / axis.unit_s, color=colour, linewidth=1.1, linestyle=":")
        to_the_left = t_s > middle_s
        axes.annotate(
            label,
            (t_s / axis.unit_s, 0.03 + 0.085 * (number % 5)),
            xycoords=("data", "axes fraction"),
            xytext=(-3 if to_the_left else 3, 0),
            textcoords="offset points",
            ha="right" if to_the_left else "left",
            fontsize=FONT_POINTS - 0.5,
            color=colour,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6},
        )


def _load(axes: Axes, opened: Curve, axis: TimeAxis) -> None:
    axes.fill_between(
        opened.t_s / axis.unit_s,
        opened.values,
        step="post",
        color=LIGHT["open"],
        alpha=0.45,
        linewidth=0.6,
        edgecolor=LIGHT["rss"],
    )
    _count_axis(axes, "open\nconnections", float(np.nanmax(opened.values)))


def _resource(axes: Axes, chart: LineChart, axis: TimeAxis) -> None:
    for line in chart.lines:
        axes.plot(line.t_s / axis.unit_s, line.values, color=LIGHT[line.colour], linewidth=1.1)
    if chart.trend is not None:
        x, y = zip(*chart.trend, strict=True)
        axes.plot([stamp / axis.unit_s for stamp in x], y, color=LIGHT["trend"], linewidth=2)
    label = chart.lines[0].name.replace(" ", "\n")
    _count_axis(axes, label, max(float(line.values.max()) for line in chart.lines))


def _count_axis(axes: Axes, label: str, highest: float) -> None:
    axes.set_ylim(0, max(1.0, highest) * 1.08)
    axes.set_ylabel(label, fontsize=FONT_POINTS, color=LIGHT["ink"])
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))

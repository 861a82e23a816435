"""`memory.png`: the verdict, the memory and the load at a glance, to be pasted into an issue."""

from __future__ import annotations

import textwrap
import warnings
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from soak.analyse.resources import RESOURCE_NAMES, climbing
from soak.quantity import format_duration, format_level, format_rate
from soak.record.transcripts import Transcripts
from soak.report import wording
from soak.report.evidence import (
    TimeAxis,
    axis_range,
    column,
    duration_s,
    judged_points,
    load_column,
    marks,
    rest_windows_s,
    time_axis,
    time_range_s,
    times_s,
    trend_line,
)
from soak.report.palette import LIGHT, VERDICT
from soak.report.thinning import thin

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from soak.record import Run
    from soak.verdict.verdict import Verdict

MIB = 1024.0 * 1024.0
SIZE_INCHES = (8.0, 5.0)
DPI = 200
"""1600 x 1000 pixels: twice what an issue shows, so that it stays sharp when scaled down."""
FONT_POINTS = 8.5
MAX_SHADED_RESTS = 400
SENTENCE_CHARACTERS = 112
SMALL_PANEL, PANEL_GAP = 0.145, 0.045
"""Heights of a panel under the memory and of the space above it, as shares of the picture."""


def write_png(run: Run, verdict: Verdict, path: Path) -> None:
    """Write the picture of one run, 1600 x 1000 pixels; OSError when `path` cannot be written.

    The load is left out where the run did not record it; without one memory reading the picture says so.
    """
    figure = Figure(figsize=SIZE_INCHES, dpi=DPI, facecolor=LIGHT["paper"])
    FigureCanvasAgg(figure)
    _title(figure, run, verdict)
    if column(run, "rss_bytes") is None:
        figure.text(0.5, 0.45, "No memory reading was taken.", ha="center", color=LIGHT["muted"], fontsize=12)
    else:
        _draw(figure, run, verdict)
    if verdict.attribution is not None:
        where = shortened(verdict.attribution.summary, 150)
        figure.text(0.02, 0.018, where, fontsize=7.5, color=LIGHT["muted"], va="center", parse_math=False)
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write a picture; a character its font lacks is drawn as a box, which is no reason to warn."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(path, dpi=DPI)


def _title(figure: Figure, run: Run, verdict: Verdict) -> None:
    banner = wording.banner(run, verdict)
    figure.text(
        0.02,
        0.955,
        f"{banner.sign} {banner.headline}",
        fontsize=16,
        fontweight="bold",
        color=VERDICT[banner.tone],
        va="center",
        parse_math=False,
    )
    _corner(figure, run)
    said = (wording.death(run, verdict), wording.sentence(verdict), wording.settling_sentence(verdict))
    text = " ".join(filter(None, said))
    lines = textwrap.wrap(text, SENTENCE_CHARACTERS, max_lines=2, placeholder=" …")
    figure.text(
        0.02,
        0.915,
        "\n".join(lines),
        fontsize=FONT_POINTS,
        color=LIGHT["ink"],
        va="top",
        linespacing=1.3,
        parse_math=False,
    )
    _figures(figure, run, verdict)


def _corner(figure: Figure, run: Run) -> None:
    """Write in the upper right which run it is, and under it whether transcripts changed."""
    name = shortened(f"{run.name} · {format_duration(duration_s(run))}", 60)
    transcripts = Transcripts.of(run)
    changed = None if transcripts is None else transcripts.change_in_words
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
            parse_math=False,
        )


_SHORT_LABELS = {
    "Start": "Start",
    "Plateau": "Plateau",
    "End": "End",
    "Peak": "Peak",
    "Growth per hour": "Growth per hour",
    "Growth per connection": "Per connection",
    "Growth per audio second": "Per audio second",
    "Connections completed": "Connections",
    "Character error rate": "CER",
    **{name: name for name in RESOURCE_NAMES.values()},
}


def _figures(figure: Figure, run: Run, verdict: Verdict) -> None:
    """Put the first key figures in a row."""
    shown = [item for item in wording.key_figures(run, verdict) if item.label in _SHORT_LABELS]
    # more would run into each other; the sentence above names all that climb
    spare = [item for item in shown if item.label in RESOURCE_NAMES.values()][2:]
    shown = [item for item in shown if item not in spare]
    for number, item in enumerate(shown):
        x = 0.02 + number * 0.96 / max(len(shown), 4)
        label = _SHORT_LABELS[item.label]
        figure.text(x, 0.815, label, fontsize=FONT_POINTS - 1, color=LIGHT["muted"], va="center")
        figure.text(x, 0.78, item.value, fontsize=11, fontweight="bold", color=LIGHT["ink"], va="center")


def _draw(figure: Figure, run: Run, verdict: Verdict) -> None:
    axis = time_axis(duration_s(run))
    climb = [name for name in climbing(verdict) if column(run, name) is not None][:1]
    below = [*climb, *(["open_connections"] if load_column(run, "open_connections") is not None else [])]
    # from the bottom up: load, the first resource that climbs, and what is left is the memory's
    bottom = 0.085 + (SMALL_PANEL + PANEL_GAP) * len(below)
    memory = figure.add_axes((0.085, bottom, 0.895, 0.69 - bottom))
    lowest = memory
    for number, name in enumerate(below):
        lowest.tick_params(labelbottom=False)
        panel_bottom = 0.085 + (SMALL_PANEL + PANEL_GAP) * (len(below) - 1 - number)
        lowest = figure.add_axes((0.085, panel_bottom, 0.895, SMALL_PANEL), sharex=memory)
        if name == "open_connections":
            _load(lowest, run, axis)
        else:
            _resource(lowest, run, verdict, name, axis)
        _style(lowest, run, axis)
    _style(memory, run, axis)
    lowest.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} {axis.unit}"))
    lowest.xaxis.set_major_locator(MaxNLocator(9, steps=[1, 2, 5, 10]))
    _memory(memory, run, verdict, axis)


def _style(axes: Axes, run: Run, axis: TimeAxis) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(LIGHT["axis"])
    axes.tick_params(labelsize=FONT_POINTS, colors=LIGHT["ink"], color=LIGHT["axis"], length=3)
    axes.grid(axis="y", color=LIGHT["grid"], linewidth=0.7)
    axes.set_axisbelow(True)
    first_s, last_s = time_range_s(run)
    axes.set_xlim(first_s / axis.unit_s, last_s / axis.unit_s)
    windows = rest_windows_s(run)
    if len(windows) <= MAX_SHADED_RESTS:
        for start_s, end_s in windows:
            axes.axvspan(start_s / axis.unit_s, end_s / axis.unit_s, color="#5b6470", alpha=0.14, linewidth=0)


def _memory(axes: Axes, run: Run, verdict: Verdict, axis: TimeAxis) -> None:
    rss = column(run, "rss_bytes")
    if rss is None:
        return
    t_s, values = thin(times_s(run), rss)
    marker = "o" if np.isfinite(values).sum() < 3 else None
    axes.plot(t_s / axis.unit_s, values / MIB, color=LIGHT["rss"], linewidth=1.1, marker=marker, label="RSS")
    trend = trend_line(verdict)
    if trend is not None:
        x = trend.t_s / axis.unit_s
        low, high = trend.low_bytes / MIB, trend.high_bytes / MIB
        axes.fill_between(x, low, high, color=LIGHT["trend"], alpha=0.2, linewidth=0)
        label = f"trend {format_rate(verdict.growth_bytes_per_hour.estimate)}"
        axes.plot(x, trend.estimate_bytes / MIB, color=LIGHT["trend"], linewidth=2, label=label)
    judged = judged_points(verdict)
    if judged is not None:
        axes.plot(
            judged[0] / axis.unit_s,
            judged[1] / MIB,
            "D",
            markersize=3.6 if len(judged[0]) < 60 else 2.2,
            color=LIGHT["floor"],
            markeredgecolor="white",
            markeredgewidth=0.4,
            label="floors judged",
        )
    _plateau(axes, run, verdict, axis)
    axes.set_ylim(*(bound / MIB for bound in axis_range(float(np.nanmin(rss)), float(np.nanmax(rss)))))
    axes.set_ylabel("memory, MiB", fontsize=FONT_POINTS, color=LIGHT["ink"])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    _verticals(axes, run, verdict, axis)
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


def _plateau(axes: Axes, run: Run, verdict: Verdict, axis: TimeAxis) -> None:
    if verdict.plateau_bytes is None:
        return
    last_s = float(np.nanmax(times_s(run)))
    axes.plot(
        [(verdict.plateau_at_s or 0) / axis.unit_s, last_s / axis.unit_s],
        [verdict.plateau_bytes / MIB] * 2,
        color=LIGHT["plateau"],
        linewidth=1.6,
        linestyle=(0, (4, 3)),
        label=f"plateau {format_level(verdict.plateau_bytes)}",
    )


def _verticals(axes: Axes, run: Run, verdict: Verdict, axis: TimeAxis) -> None:
    """Mark the end of warm-up, restarts, exits and faults, their labels on rows of their own."""
    lines = [(mark.t_s, shortened(mark.label, 40), LIGHT["mark"]) for mark in marks(run, verdict)]
    if verdict.warm_up_end_s:
        label = f"warm-up ends, {format_duration(verdict.warm_up_end_s)}"
        lines.insert(0, (verdict.warm_up_end_s, label, LIGHT["warm_up"]))
    middle_s = float(np.nanmax(times_s(run))) / 2
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
            parse_math=False,
        )


def _load(axes: Axes, run: Run, axis: TimeAxis) -> None:
    opened = load_column(run, "open_connections")
    if opened is None:
        return
    t_s, values = thin(times_s(run), opened)
    axes.fill_between(
        t_s / axis.unit_s,
        values,
        step="post",
        color=LIGHT["open"],
        alpha=0.45,
        linewidth=0.6,
        edgecolor=LIGHT["rss"],
    )
    axes.set_ylim(0, max(1.0, float(np.nanmax(opened))) * 1.08)
    axes.set_ylabel("open\nconnections", fontsize=FONT_POINTS, color=LIGHT["ink"])
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _resource(axes: Axes, run: Run, verdict: Verdict, name: str, axis: TimeAxis) -> None:
    counts = column(run, name)
    if counts is None:
        return
    kept = np.isfinite(counts)
    t_s, values = thin(times_s(run)[kept], counts[kept])
    axes.plot(t_s / axis.unit_s, values, color=LIGHT["resource"], linewidth=1.1)
    line = verdict.resources[name].trend_line
    if line is not None:
        x, y = zip(*line, strict=True)
        axes.plot([stamp / axis.unit_s for stamp in x], y, color=LIGHT["trend"], linewidth=2)
    axes.set_ylim(0, max(1.0, float(values.max())) * 1.08)
    label = RESOURCE_NAMES[name].lower().replace(" ", "\n")
    axes.set_ylabel(label, fontsize=FONT_POINTS, color=LIGHT["ink"])
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def shortened(text: str, characters: int) -> str:
    """Return `text` on one line of at most `characters`, with an ellipsis where it was cut."""
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= characters else one_line[: characters - 1] + "…"

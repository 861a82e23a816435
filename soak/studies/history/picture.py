"""The picture of a history: a mark for each run, a line for each level, the steps named."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from soak.report.palette import LIGHT, VERDICT
from soak.report.picture import DPI, FONT_POINTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from soak.analyse.steps import Step
    from soak.studies.history.runs_over_time import RunHistory

SIZE_INCHES = (8.0, 3.6)
MARKERS = {"plateau": "o", "climbing": "^", "inconclusive": "D"}
MOST_NAMED = 6
"""Steps that get their words; more of them would lie on each other."""


def picture(
    history: RunHistory, figure: str, words: str, write: Callable[[float], str], steps: Sequence[Step]
) -> Figure:
    """Draw `figure` of every run, oldest on the left, the mean between steps, and what each step came to."""
    canvas = Figure(figsize=SIZE_INCHES, dpi=DPI, facecolor=LIGHT["paper"])
    FigureCanvasAgg(canvas)
    axes = canvas.add_axes((0.12, 0.17, 0.85, 0.66))
    values = np.array(history.values(figure))
    for verdict, marker in MARKERS.items():
        chosen = [index for index, entry in enumerate(history.entries) if entry.figures.verdict == verdict]
        if chosen:
            axes.plot(
                chosen,
                values[chosen],
                marker,
                color=VERDICT[verdict],
                markersize=4.5,
                label=verdict,
                zorder=3,
            )
    bounds = [0, *(step.index for step in steps), len(values)]
    for start, end in pairwise(bounds):
        mean = float(np.nanmean(values[start:end])) if np.isfinite(values[start:end]).any() else np.nan
        axes.plot([start - 0.4, end - 0.6], [mean, mean], color=LIGHT["rss"], linewidth=1.5, zorder=2)
    low, high = np.nanmin(values), np.nanmax(values)
    room = max(high - low, abs(high) * 0.02)
    axes.set_ylim(low - 0.15 * room, high + 0.35 * room)
    for step in steps[-MOST_NAMED:]:
        axes.axvline(step.index - 0.5, color=LIGHT["axis"], linewidth=1, linestyle="--", zorder=1)
        sign = "+" if step.difference.estimate > 0 else ""
        late = step.index > 0.75 * len(values)
        axes.text(
            step.index - 0.5 + (-0.2 if late else 0.2), high + 0.2 * room,
            f"{sign}{write(step.difference.estimate)}", fontsize=FONT_POINTS, color=LIGHT["ink"],
            ha="right" if late else "left", fontweight="bold",
        )  # fmt: skip
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda place, _: _date(history, place)))
    axes.tick_params(labelsize=FONT_POINTS, colors=LIGHT["muted"], length=0)
    axes.set_facecolor(LIGHT["paper"])
    axes.grid(axis="y", color=LIGHT["grid"], linewidth=0.6)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(LIGHT["axis"])
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.1), ncols=3, fontsize=FONT_POINTS, frameon=False)
    found = f"{len(steps)} step{'' if len(steps) == 1 else 's'}" if steps else "no step"
    canvas.text(
        0.02, 0.93, f"{history.name}: {words} over {len(values)} runs, {found}", fontsize=12,
        fontweight="bold", color=LIGHT["ink"], va="center",
    )  # fmt: skip
    return canvas


def _date(history: RunHistory, place: float) -> str:
    index = round(place)
    return history.entries[index].started_utc[:10] if 0 <= index < len(history.entries) else ""

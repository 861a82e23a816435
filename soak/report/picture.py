"""What every PNG picture shares: its resolution and type, axes without a frame, and how it is saved."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

from soak.foreign_text import visible
from soak.private_file import replacing
from soak.report.palette import LIGHT

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from soak.report.model.pictures.time_axis import TimeAxis

DPI = 200
"""1600 x 1000 pixels for 8 x 5 inches: twice what an issue shows, so that it stays sharp when scaled down."""
FONT_POINTS = 8.5


def blank(width_inches: float, height_inches: float) -> Figure:
    """Return an empty picture."""
    figure = Figure(figsize=(width_inches, height_inches), dpi=DPI, facecolor=LIGHT["paper"])
    FigureCanvasAgg(figure)
    return figure


def dress(axes: Axes) -> None:
    """Leave of a frame the left and the lower side, with a grid of levels behind the curves."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(LIGHT["axis"])
    axes.tick_params(labelsize=FONT_POINTS, colors=LIGHT["ink"], color=LIGHT["axis"], length=3)
    axes.grid(axis="y", color=LIGHT["grid"], linewidth=0.7)
    axes.set_axisbelow(True)


def label_time(axes: Axes, axis: TimeAxis) -> None:
    """Write the unit behind every time; what is counted in steps is named once, below the axis."""
    if axis.counts_steps:
        axes.set_xlabel(axis.unit)
    behind = "" if axis.counts_steps else f" {axis.unit}"
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}{behind}"))
    axes.xaxis.set_major_locator(MaxNLocator(9, steps=[1, 2, 5, 10]))


def save(figure: Figure, path: Path) -> None:
    """Write a PNG; raises `SoakError` when it cannot be written.

    A character its font lacks is drawn as a box, which is no reason to warn.
    """
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # a dollar in a name is a dollar
        text.set_text(visible(text.get_text()))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        with replacing(path) as stream:
            figure.savefig(stream, dpi=DPI, format="png")


def shortened(text: str, characters: int) -> str:
    """Return `text` on one line of at most `characters`, with an ellipsis where it was cut."""
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= characters else one_line[: characters - 1] + "…"

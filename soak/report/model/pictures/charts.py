"""The charts of a report as data: what is drawn, in which unit, by which name.

Times are seconds of the run, values are in the unit of their chart. Long series are thinned for drawing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ends = tuple[tuple[float, float], tuple[float, float]]

MIB = 1024.0 * 1024.0


@dataclass(frozen=True, eq=False)
class Line:
    """One line, or one layer of a stack."""

    name: str
    colour: str
    """A key of the palette."""
    t_s: Floats
    values: Floats
    is_dotted: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Chart:
    """What every chart has: its place in the page and the words around it."""

    key: str
    """Identifier within the report."""
    title: str
    caption: str


@dataclass(frozen=True, kw_only=True, eq=False)
class LineChart(Chart):
    """Readings over time."""

    lines: tuple[Line, ...]
    unit: str = ""
    """Of the values, such as ``ms``; empty for counts."""
    trend: Ends | None = None
    """Ends of a straight line through the readings, as (t_s, value)."""
    bounds: tuple[float, float] | None = None
    """Of the axis of values; None lets it begin at zero."""
    whole_steps: bool = False
    """Whether the axis shows whole numbers only."""
    has_legend: bool = True
    is_tiny: bool = False
    """One of many that are looked at together."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StackChart(Chart):
    """Parts of memory stacked on each other over time, in MiB."""

    layers: tuple[Line, ...]
    is_growth: bool = False
    """Whether the layers are gains, told with a sign."""


@dataclass(frozen=True)
class WaterfallStep:
    """One step of a waterfall."""

    name: str
    size_mib: float
    text: str
    """The size for a person."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Waterfall(Chart):
    """From one level to another by steps; the first and the last step are the levels themselves."""

    steps: tuple[WaterfallStep, ...]
    bounds: tuple[float, float]
    """Of the axis, in MiB."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ErrorRateChart(Chart):
    """The character error rate over time, in per cent, and the transcripts that changed."""

    rate: Line
    changes: Line | None
    """How many transcripts changed in each window in which any did; None when none did."""


def axis_range(low: float, high: float) -> tuple[float, float]:
    """Return the bounds of an axis for data between `low` and `high`.

    At least a tenth of the level is always in view, so that the wobble of a healthy server does not fill
    the picture; a little air above and below.
    """
    span = max(high - low, 0.10 * high, 1e-9)
    middle = (low + high) / 2
    return max(0.0, middle - 0.56 * span), middle + 0.56 * span

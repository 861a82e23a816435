"""Where growth sits, as charts: a waterfall from start to end, and by class of memory over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soak.columns import declared
from soak.quantity import format_bytes
from soak.report.model.pictures.charts import MIB, Line, StackChart, Waterfall, WaterfallStep
from soak.report.model.pictures.thinning import thinned_indices
from soak.verdict.attribution import CLASS_COLUMNS

if TYPE_CHECKING:
    from soak.report.model.pictures.charts import Chart
    from soak.report.model.readings import Readings
    from soak.verdict.attribution import Attribution, ClassGrowth, MemoryClass

SHOWN_SHARE = 0.01
"""Classes that never moved by this share of the largest movement are left out of the pictures."""
FEWEST_READINGS = 3
"""Readings of the classes from which on there is a course to draw."""


def attribution_charts(readings: Readings, attribution: Attribution | None) -> tuple[Chart, ...]:
    """Return both charts; none where nothing is attributed, or nothing moved."""
    if attribution is None:
        return ()
    return tuple(chart for chart in (_waterfall(attribution), _growth(readings)) if chart is not None)


def _waterfall(attribution: Attribution) -> Waterfall | None:
    told = _told(attribution)
    if not told:
        return None
    steps = [(str(each.memory_class), each.growth_bytes) for each in told]
    rest = attribution.growth_bytes - sum(growth for _, growth in steps)
    if abs(rest) >= SHOWN_SHARE * abs(attribution.growth_bytes):
        steps.append(("the rest", rest))
    start, end = attribution.start_rss_bytes, attribution.end_rss_bytes
    levels = np.cumsum([start, *(growth for _, growth in steps)])
    low, high = float(levels.min()), float(max(*levels, end))
    air = 0.18 * max(high - low, MIB)
    return Waterfall(
        key="waterfall",
        title="From start to end, by where it is",
        caption=_caption(attribution),
        steps=(
            _step("start", start, format_bytes(start)),
            *(_step(name, growth, format_bytes(growth, signed=True)) for name, growth in steps),
            _step("end", end, format_bytes(end)),
        ),
        bounds=(max(0.0, low - air) / MIB, (high + air) / MIB),
    )


def _step(name: str, size_bytes: float, text: str) -> WaterfallStep:
    return WaterfallStep(name, size_bytes / MIB, text)


def _caption(attribution: Attribution) -> str:
    caption = "RSS from the first reading to the last quiet one. The axis does not start at zero."
    accounted = attribution.accounted_share
    if accounted is not None:
        caption += f" The named classes account for {100 * accounted:.0f} % of the growth."
    inside = attribution.inside
    if inside is not None and inside.arenas and inside.arena_bytes is not None:
        held = format_bytes(inside.arena_bytes, signed=True)
        caption += f" Of it ONNX Runtime's arenas hold {held}, in blocks of malloc's."
    return caption


def _told(attribution: Attribution) -> list[ClassGrowth]:
    """Return the classes that moved, largest first."""
    largest = max((abs(each.growth_bytes) for each in attribution.classes), default=0.0)
    moved = [each for each in attribution.classes if abs(each.growth_bytes) > SHOWN_SHARE * largest]
    return sorted(moved, key=lambda each: each.growth_bytes, reverse=True)


def _growth(readings: Readings) -> StackChart | None:
    """Stack what each class has gained since the first reading."""
    base = readings.column("map_rss_bytes")
    if base is None:
        return None
    known = np.flatnonzero(np.isfinite(base))
    if len(known) < FEWEST_READINGS:
        return None
    picked = known[thinned_indices(base[known])]
    gains = {
        each: np.maximum(0.0, values[picked] - values[known[0]])
        for each, name in CLASS_COLUMNS.items()
        if (values := readings.column(name)) is not None
    }
    largest = max(float(np.nanmax(gain)) for gain in gains.values())
    if largest <= 0:
        return None
    return StackChart(
        key="whereabouts",
        title="Growth by where it is",
        caption="What each class has gained since the first reading; losses are left out.",
        layers=tuple(
            Line(str(each), _colour(each), readings.t_s[picked], gain / MIB)
            for each, gain in gains.items()
            if np.nanmax(gain) >= SHOWN_SHARE * largest
        ),
        is_growth=True,
    )


def _colour(each: MemoryClass) -> str:
    return declared(CLASS_COLUMNS[each]).drawn or "class_other"

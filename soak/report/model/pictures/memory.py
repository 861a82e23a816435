"""The main picture as data: memory with its trend and what happened, and the load under it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soak.quantity import format_duration, format_level, format_rate
from soak.record.events import Event, Interrupted, ServerExited, TranscriptChanged
from soak.report.model.pictures.charts import axis_range
from soak.report.model.pictures.thinning import thin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.record import Run
    from soak.report.model.readings import Readings
    from soak.verdict.run_verdict import RunVerdict
    from soak.verdict.verdict import Estimate

    Floats = NDArray[np.float64]

MAX_SHADED_RESTS = 400
"""Beyond this the shading is a grey wash; the floors still show where the rests were."""
MAX_MARKS = 12
"""Labels beyond this many would cover the curve; the rest is counted in the tables."""
_MARKED_EVENTS: dict[type[Event], str] = {
    ServerExited: "server died",
    Interrupted: "interrupted",
    TranscriptChanged: "a transcript changed",
}
_MARKED_ONCE = frozenset({TranscriptChanged})
"""Where one happens more will, and they would leave no room for the others."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Readings over time, thinned for drawing; NaN breaks the line."""

    t_s: Floats
    values: Floats


@dataclass(frozen=True)
class Mark:
    """Something that happened at one moment."""

    t_s: float
    label: str
    """A few words, not escaped."""


@dataclass(frozen=True, eq=False)
class TrendLine:
    """The judged trend as a line through the judged points, with its 95 % interval.

    The band shows how steep the trend can be, not where single samples fall.
    """

    t_s: Floats
    """Seconds, ascending."""
    estimate_bytes: Floats
    low_bytes: Floats
    high_bytes: Floats
    label: str


@dataclass(frozen=True)
class Plateau:
    """The level memory came to rest on."""

    from_s: float
    to_s: float
    level_bytes: float
    label: str


@dataclass(frozen=True, eq=False)
class MemoryPicture:
    """All that is drawn of memory and load."""

    rss: Curve
    """In bytes."""
    extremes_bytes: tuple[float, float]
    """Its lowest and its highest reading."""
    bounds_bytes: tuple[float, float]
    """Of the axis of memory."""
    trend: TrendLine | None
    floors: Curve | None
    """The points that were judged, in bytes."""
    plateau: Plateau | None
    warm_up: Mark | None
    """Where the judged tail begins."""
    marks: tuple[Mark, ...]
    """Restarts, exits, faults and the first changed transcript, by time."""
    has_rests: bool
    shaded_rests_s: tuple[tuple[float, float], ...]
    """Start and end of each quiet window; empty where there are too many to be told apart."""
    open_connections: Curve | None
    """None where the run did not record them, or there never was one."""
    connections_completed: Curve | None

    @property
    def has_load(self) -> bool:
        """Whether there is a load to draw under the memory."""
        return self.open_connections is not None or self.connections_completed is not None


def memory_picture(run: Run, readings: Readings, verdict: RunVerdict) -> MemoryPicture | None:
    """Return what is drawn of memory and load; None when not one memory reading was taken."""
    rss = readings.column("rss_bytes")
    if rss is None:
        return None
    rests = readings.rest_windows_s()
    extremes = float(np.nanmin(rss)), float(np.nanmax(rss))
    return MemoryPicture(
        rss=_curve(readings, rss),
        extremes_bytes=extremes,
        bounds_bytes=axis_range(*extremes),
        trend=_trend(verdict),
        floors=_floors(verdict),
        plateau=_plateau(verdict, readings),
        warm_up=_warm_up(verdict),
        marks=_marks(run, verdict),
        has_rests=bool(rests),
        shaded_rests_s=rests if len(rests) <= MAX_SHADED_RESTS else (),
        open_connections=_load(readings, "open_connections"),
        connections_completed=_load(readings, "connections_completed"),
    )


def judged_points(verdict: RunVerdict) -> tuple[Floats, Floats] | None:
    """Return seconds and bytes of the points that were judged (the floors), or None."""
    points = verdict.memory.points
    if points is None:
        return None
    kept = np.isfinite(points.t_s) & np.isfinite(points.values)
    return (points.t_s[kept], points.values[kept]) if kept.any() else None


def _curve(readings: Readings, values: Floats) -> Curve:
    return Curve(*thin(readings.t_s, values))


def _load(readings: Readings, column: str) -> Curve | None:
    values = readings.positive(column)
    return None if values is None else _curve(readings, values)


def _floors(verdict: RunVerdict) -> Curve | None:
    judged = judged_points(verdict)
    return None if judged is None else Curve(*thin(*judged))


def _plateau(verdict: RunVerdict, readings: Readings) -> Plateau | None:
    level = verdict.memory.level
    if level is None:
        return None
    label = f"plateau {format_level(level)}"
    return Plateau(verdict.memory.level_from_s or 0.0, readings.last_s, level, label)


def _warm_up(verdict: RunVerdict) -> Mark | None:
    end_s = verdict.memory.warm_up_end_s
    return Mark(end_s, f"warm-up ends, {format_duration(end_s)}") if end_s else None


def _marks(run: Run, verdict: RunVerdict) -> tuple[Mark, ...]:
    found = [Mark(stamp, "restart") for stamp in verdict.memory.restarts_at_s]
    for kind, label in _MARKED_EVENTS.items():
        stamps = [event.t_s for event in run.events_of(kind) if event.t_s is not None]
        found += [Mark(stamp, label) for stamp in stamps[: 1 if kind in _MARKED_ONCE else None]]
    return tuple(sorted(found, key=lambda mark: mark.t_s)[:MAX_MARKS])


def _trend(verdict: RunVerdict) -> TrendLine | None:
    """Return the judged trend, turned about its middle by the ends of the slope's interval for the band.

    None when nothing finite was fitted.
    """
    slope = verdict.memory.growth_per_hour
    if verdict.memory.trend_line is None or not all(map(np.isfinite, (slope.low, slope.high))):
        return None
    (from_s, from_bytes), (to_s, to_bytes) = verdict.memory.trend_line
    if not np.isfinite([from_s, from_bytes, to_s, to_bytes]).all() or to_s <= from_s:
        return None
    middle_s, middle_bytes = (from_s + to_s) / 2, (from_bytes + to_bytes) / 2
    ends_s = np.array([from_s, middle_s, to_s])
    low_bytes, high_bytes = _edges(slope, ends_s - middle_s, middle_bytes)
    return TrendLine(
        t_s=ends_s,
        estimate_bytes=np.array([from_bytes, middle_bytes, to_bytes]),
        low_bytes=low_bytes,
        high_bytes=high_bytes,
        label=f"trend {format_rate(slope.estimate)}",
    )


def _edges(slope: Estimate, from_middle_s: Floats, middle_bytes: float) -> tuple[Floats, Floats]:
    """Return the lower and the upper edge of the band; `slope` is in bytes per hour."""
    one, other = (middle_bytes + end / 3600 * from_middle_s for end in (slope.low, slope.high))
    return np.minimum(one, other), np.maximum(one, other)

"""The main picture as data: memory, what is believed of it, what happened, and the load under it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soak.quantity import format_duration, format_level
from soak.record.events import Event, Interrupted, ServerExited, TranscriptChanged
from soak.report.model.pictures.believed import BelievedCourses, believed_courses
from soak.report.model.pictures.charts import axis_range
from soak.report.model.pictures.thinning import thin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.record import Run
    from soak.report.model.pictures.time_axis import TimeAxis
    from soak.report.model.readings import Readings
    from soak.verdict.run_verdict import RunVerdict

    Floats = NDArray[np.float64]

MAX_SHADED_RESTS = 400
"""Beyond this the shading is a grey wash; the floors still show where the rests were."""
SMALLEST_VIEW_BYTES = 65536.0
"""Less than this is not looked at more closely: a page is 4 KiB."""
MARGIN = 0.1
"""Of a close view, above and below."""
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
    axis: TimeAxis
    """The run's, and as far beyond its end as the courses are drawn."""
    believed: BelievedCourses | None
    """What the verdict on memory rests on, in bytes."""
    close_bounds_bytes: tuple[float, float] | None
    """Of an axis on which the courses are seen alone: beside a warm-up of 300 MiB, 2 MiB are a hair."""
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


def memory_picture(run: Run, readings: Readings, verdict: RunVerdict, axis: TimeAxis) -> MemoryPicture | None:
    """Return what is drawn of memory and load; None when not one memory reading was taken.

    `axis` is that of the run.
    """
    rss = readings.column("rss_bytes")
    if rss is None:
        return None
    rests = readings.rest_windows_s()
    extremes = float(np.nanmin(rss)), float(np.nanmax(rss))
    believed = believed_courses(verdict.memory, ahead=verdict.evidence.failure is None)
    floors = _floors(verdict)
    return MemoryPicture(
        rss=_curve(readings, rss),
        extremes_bytes=extremes,
        bounds_bytes=_bounds(extremes, believed),
        axis=axis if believed is None else axis.reaching(believed.to_s),
        believed=believed,
        close_bounds_bytes=None if believed is None else _close_bounds(believed, floors),
        floors=floors,
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


def _close_bounds(believed: BelievedCourses, floors: Curve | None) -> tuple[float, float]:
    """Return the bounds of an axis for the courses and the points since their start.

    A band that is much wider than these would press them flat: it is cut off.
    """
    budget = believed.median if believed.budget is None else believed.budget
    seen = [believed.median, budget]
    if floors is not None:
        seen.append(floors.values[floors.t_s >= believed.t_s[0]])
    heights = np.concatenate(seen)
    low, high = float(heights.min()), float(heights.max())
    room = max(high - low, SMALLEST_VIEW_BYTES)
    top = max(high, min(float(believed.high[-1]), high + room))
    return low - MARGIN * room, top + MARGIN * room


def _bounds(extremes: tuple[float, float], believed: BelievedCourses | None) -> tuple[float, float]:
    """Return the bounds of the axis of memory: the readings, and where the courses lead.

    A band that is wider than the readings would press them flat: it may take as much room as they do.
    """
    low, high = axis_range(*extremes)
    if believed is None:
        return low, high
    ends = [believed.high[-1]] if believed.budget is None else [believed.high[-1], believed.budget[-1]]
    return axis_range(extremes[0], min(max(extremes[1], *ends), extremes[1] + high - low))

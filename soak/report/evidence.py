"""What a run holds, in the form the reports draw: filled columns, rest windows, marks on the time axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.record import Run
    from soak.verdict.verdict import Verdict

SECONDS_AXIS_UP_TO_S = 180.0
MINUTES_AXIS_UP_TO_S = 3 * 3600.0


@dataclass(frozen=True)
class TimeAxis:
    """The unit in which a run's time is drawn."""

    unit: str
    """``s``, ``min`` or ``h``."""
    unit_s: float
    """Seconds in one unit."""


@dataclass(frozen=True)
class Mark:
    """Something that happened at one moment and belongs on the memory chart."""

    t_s: float
    label: str
    """A few words, not escaped."""


@dataclass(frozen=True)
class TrendLine:
    """The judged trend as a line through the judged points, with its 95 % interval."""

    t_s: NDArray[np.float64]
    """Seconds, ascending."""
    estimate_bytes: NDArray[np.float64]
    low_bytes: NDArray[np.float64]
    high_bytes: NDArray[np.float64]


def column(run: Run, name: str) -> NDArray[np.float64] | None:
    """Return a numeric column with NaN for gaps, or None when the run lacks it or never filled it."""
    if name not in run.samples.columns:
        return None
    values = run.samples[name].to_numpy(dtype=np.float64, na_value=np.nan)
    return values if np.isfinite(values).any() else None


def load_column(run: Run, name: str) -> NDArray[np.float64] | None:
    """Return a column of the load, or None when the run lacks it or there never was any load."""
    values = column(run, name)
    return values if values is not None and np.nanmax(values) > 0 else None


def times_s(run: Run) -> NDArray[np.float64]:
    """Return the sample times in seconds."""
    return run.samples["t_s"].to_numpy(dtype=np.float64, na_value=np.nan)


def last_value(run: Run, name: str) -> float | None:
    """Return the last reading of a column, or None."""
    values = column(run, name)
    return None if values is None else float(values[np.isfinite(values)][-1])


def duration_s(run: Run) -> float:
    """Return the seconds from the first to the last sample, 0 for none."""
    stamps = times_s(run)
    stamps = stamps[np.isfinite(stamps)]
    return float(stamps[-1] - stamps[0]) if len(stamps) else 0.0


def time_range_s(run: Run) -> tuple[float, float]:
    """Return where the time axis begins and ends, in seconds.

    It begins at zero when the first sample came soon after that, and holds the server's death, which comes
    after the last sample.
    """
    stamps = times_s(run)
    first_s, last_s = float(np.nanmin(stamps)), float(np.nanmax(stamps))
    if abs(first_s) <= 0.05 * (last_s - first_s):
        first_s = 0.0
    died_s = (run.last_event("server_exited") or {}).get("t_s")
    if isinstance(died_s, int | float):
        last_s = max(last_s, float(died_s))
    return first_s, last_s if last_s > first_s else first_s + 1.0


def time_axis(length_s: float) -> TimeAxis:
    """Choose the unit in which `length_s` reads best."""
    if length_s <= SECONDS_AXIS_UP_TO_S:
        return TimeAxis("s", 1.0)
    if length_s <= MINUTES_AXIS_UP_TO_S:
        return TimeAxis("min", 60.0)
    return TimeAxis("h", 3600.0)


def rest_windows_s(run: Run) -> list[tuple[float, float]]:
    """Return (start, end) seconds of each quiet window, from the phase of the samples."""
    if "phase" not in run.samples.columns or len(run.samples) < 2:
        return []
    resting = run.samples["phase"].astype(str).to_numpy() == "rest"
    stamps = times_s(run)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], resting, [False])).astype(np.int8)))
    windows = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        # the window lasts until the first sample that is no longer at rest
        windows.append((float(stamps[start]), float(stamps[min(stop, len(stamps) - 1)])))
    return windows


_MARKED_EVENTS: dict[str, str] = {
    "server_exited": "server died",
    "interrupted": "interrupted",
    "fault": "fault",
    "transcript_changed": "a transcript changed",
}
_MARKED_ONCE = frozenset({"transcript_changed"})
"""Where one happens more will, and they would leave no room for the others."""
MAX_MARKS = 12
"""Labels beyond this many would cover the curve; the rest is counted in the tables."""


def marks(run: Run, verdict: Verdict) -> list[Mark]:
    """Return restarts, exits, faults and the first changed transcript, by time, at most `MAX_MARKS`."""
    once: set[str] = set()
    found = [Mark(stamp, "restart") for stamp in verdict.restarts_at_s]
    for event in run.events:
        name, stamp = event.get("event"), event.get("t_s")
        if not isinstance(stamp, int | float) or not isinstance(name, str):
            continue
        if name in _MARKED_EVENTS and name not in once:
            once |= _MARKED_ONCE & {name}
            found.append(Mark(float(stamp), _MARKED_EVENTS[name]))
    return sorted(found, key=lambda mark: mark.t_s)[:MAX_MARKS]


def trend_line(verdict: Verdict) -> TrendLine | None:
    """Return the judged trend, turned about its middle by the ends of the slope's interval for the band.

    The band shows how steep the trend can be, not where single samples fall. None when nothing finite was
    fitted.
    """
    slope = verdict.growth_bytes_per_hour
    if verdict.trend_line is None or not all(map(np.isfinite, (slope.low, slope.high))):
        return None
    (from_s, from_bytes), (to_s, to_bytes) = verdict.trend_line
    if not np.isfinite([from_s, from_bytes, to_s, to_bytes]).all() or to_s <= from_s:
        return None
    middle_s, middle_bytes = (from_s + to_s) / 2, (from_bytes + to_bytes) / 2
    ends_s = np.array([from_s, middle_s, to_s])
    edges = [middle_bytes + end / 3600 * (ends_s - middle_s) for end in (slope.low, slope.high)]
    return TrendLine(
        t_s=ends_s,
        estimate_bytes=np.array([from_bytes, middle_bytes, to_bytes]),
        low_bytes=np.minimum(*edges),
        high_bytes=np.maximum(*edges),
    )


def judged_points(verdict: Verdict) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return seconds and bytes of the points that were judged (the floors), or None."""
    points = verdict.points
    if points is None:
        return None
    kept = np.isfinite(points.t_s) & np.isfinite(points.rss_bytes)
    return (points.t_s[kept], points.rss_bytes[kept]) if kept.any() else None


def axis_range(low: float, high: float) -> tuple[float, float]:
    """Return the bounds of an axis for data between `low` and `high`.

    At least a tenth of the level is always in view, so that the wobble of a healthy server does not fill
    the picture; a little air above and below.
    """
    span = max(high - low, 0.10 * high, 1e-9)
    middle = (low + high) / 2
    return max(0.0, middle - 0.56 * span), middle + 0.56 * span

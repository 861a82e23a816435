"""What a verdict rests on, as a picture: the courses that the judge believes in, and the largest accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soak.quantity import format_rate
from soak.words import percent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.verdict.verdict import SeriesVerdict

    Floats = NDArray[np.float64]

AHEAD_SHARE = 0.2
"""Of the length that was judged: how far beyond its end the courses are drawn."""
HOUR_S = 3600.0


@dataclass(frozen=True, eq=False)
class BelievedCourses:
    """Where growth that lasts leads, from the end of warm-up to a little after the end of the run.

    A course lies above `low` with the confidence of the verdict, and below `high` with the same. They show
    how steep the growth can be, not where single readings fall.
    """

    t_s: Floats
    """Seconds, ascending: where warm-up ended, the last judged point, and as far as is looked ahead."""
    low: Floats
    """In the unit of the series, as everything here."""
    median: Floats
    high: Floats
    budget: Floats | None
    """The largest growth that is accepted, from the same start; None where no budget is known."""
    label: str
    """What the median is, in words."""
    band_label: str
    budget_label: str

    @property
    def to_s(self) -> float:
        """As far as is looked ahead."""
        return float(self.t_s[-1])


def believed_courses(verdict: SeriesVerdict, *, ahead: bool = True) -> BelievedCourses | None:
    """Return the courses that the verdict on a series rests on; None where nothing was judged.

    `ahead` is whether they go on beyond the last judged point.
    """
    growth, line, points = verdict.growth_per_hour, verdict.trend_line, verdict.points
    if line is None or points is None or not np.isfinite([growth.estimate, growth.low, growth.high]).all():
        return None
    (from_s, start), (to_s, end) = line
    if not np.isfinite([from_s, start, to_s, end]).all() or to_s <= from_s:
        return None
    end_s = to_s + (AHEAD_SHARE * float(np.ptp(points.t_s)) if ahead else 0.0)
    t_s = np.unique([from_s, to_s, end_s])
    hours = (t_s - from_s) / HOUR_S
    budget = verdict.budget_per_hour
    return BelievedCourses(
        t_s=t_s,
        low=start + growth.low * hours,
        median=start + growth.estimate * hours,
        high=start + growth.high * hours,
        budget=start + budget * hours if np.isfinite(budget) else None,
        label=f"believed: {format_rate(growth.estimate)}",
        band_label=f"each edge {percent(verdict.confidence)} sure",
        budget_label=f"budget: {format_rate(budget, signed=False)}",
    )

"""Judging a run while it goes on, as often as one likes, without being wrong more often for it.

A verdict that is 95 % sure when it is asked for once is wrong in far more than 5 % of the runs when it is
asked for every ten seconds and the first answer is believed (Armitage, McPherson and Rowe 1969). Group
sequential monitoring takes few looks and gives each a share of the error that the whole run may make (Lan and
DeMets, "Discrete sequential boundaries for clinical trials", Biometrika 70, 1983: an error-spending
function). Here

    alpha_k = alpha * w_k,    w_k = (1 - q) / K    at the K looks before the end,
                              w   = q              at the end,

    K = ceil(log(1 / s_1) / log(g)),

where s_1 is the share of the run that was over at the first look and g the growth of the run between two
looks: spending that is linear in the logarithm of the information, with a share q kept for the end. Without
an end w_k = 6 / (pi^2 k^2), whose sum over all k is 1. The parts are used as levels as they are and add up to
alpha (Boole's inequality), so the bound holds however the looks depend on each other: the judge finds the end
of the warm-up anew at every look, and the independent increments which sharper boundaries rest on are not
given.

Chance is not all: a warm-up may look like a leak twice as long as it lasts, and no alpha covers that; a leak
that is small against the noise looks flat at first. So a verdict stands, before the end, only when several
looks in a row gave it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.engine import judge_series
from soak.analyse.settings import JudgeSettings
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.analyse.series import Series
    from soak.verdict.verdict import SeriesVerdict


@dataclass(frozen=True)
class Horizon:
    """Where a run ends at the latest; with neither it has no end. Whichever comes first is the end."""

    duration_s: float | None = None
    """Seconds from the first reading."""
    connections: float | None = None
    """Connections completed."""

    def share_done(self, elapsed_s: float, connections: float) -> float | None:
        """Return how much of the run is over, 0 to 1 and beyond; None without an end."""
        shares = []
        if self.duration_s is not None:
            shares.append(elapsed_s / self.duration_s)
        if self.connections is not None:
            shares.append(connections / self.connections)
        return max(shares) if shares else None


@dataclass(frozen=True)
class LookSchedule:
    """When a growing run is looked at, and how the error is spent over the looks."""

    growth: float = 1.25
    """A look is taken each time the run has grown by this factor. The information in a slope grows with the
    third power of the run's length, so it doubles from look to look; a look sooner would see little new."""
    share_at_end: float = 0.8
    """Share of the error kept for the end of a run that has one: its last word should not be much more timid
    than if nobody had looked before. On made traces (see `benchmarks/verdict/peeking.py`) keeping half cost
    ten healthy runs in a hundred their plateau, while the looks before decided as soon with a fiftieth each
    of the error as with a tenth."""
    looks_to_climb: int = 2
    looks_to_plateau: int = 3
    """Looks in a row that must say climbing, or plateau, before it stands. On 210 tuning traces that the
    weights had not seen, stopped at the first verdict that stood, one look called 7 % of the healthy ones
    climbing, two or three 4 % (creeps and caches that are straight until they end, which no rule can tell by
    then); it called 11 % of the leaks a plateau, two in a row 6 %, three 1 %."""

    def __post_init__(self) -> None:
        """Check the ranges; raises ValueError in one line."""
        if not self.growth > 1:
            raise ValueError(f"growth must be above 1, not {self.growth:g}")
        if not 0 < self.share_at_end < 1:
            raise ValueError(f"share_at_end must be between 0 and 1, not {self.share_at_end:g}")
        for name in ("looks_to_climb", "looks_to_plateau"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")

    def looks_to_stand(self, label: Label) -> int:
        """Return how many looks in a row must say this before it stands."""
        return self.looks_to_climb if label is Label.CLIMBING else self.looks_to_plateau

    def looks_before_end(self, share_done: float) -> int:
        """Return how many looks fit before the end when the first is taken at this share of the run."""
        return max(1, math.ceil(math.log(1.0 / share_done) / math.log(self.growth) - 1e-9))


@dataclass(frozen=True, eq=False)
class Look:
    """One look at a growing run."""

    number: int
    """Counted from 1 at the first look that could have decided something; 0 before."""
    t_s: float
    """The newest reading it saw, on the series' own clock."""
    connections: float
    """Connections completed by then; 0 where they are not counted."""
    settings: JudgeSettings
    """The settings it was judged with: its share of the error, and the budget of the whole run. `judge` with
    these and the readings up to `t_s` gives `verdict` again."""
    verdict: SeriesVerdict
    """What was said at this look."""
    standing: Label
    """What stands after it: `verdict`'s label if the looks before agree or this is the last, else
    inconclusive."""
    at_end: bool
    """Whether it was the last one, at the end of the run."""


class SequentialJudge:
    """Offered the growing series of one run, takes a look when one is due, and keeps count of the error.

    The probability that climbing ever stands on a run that does not grow beyond the budget is at most
    1 - `climbing_confidence`, and that plateau ever stands on one that does at most 1 - `plateau_confidence`,
    as far as these confidences hold at each look. A relative budget is that of the whole planned run from the
    first look on: the same growth per hour is called flat early and late, and what a plateau excludes is no
    larger for stopping early. Without a planned end it is that of the run so far.
    """

    def __init__(
        self,
        settings: JudgeSettings | None = None,
        horizon: Horizon | None = None,
        schedule: LookSchedule | None = None,
        judge_once: Callable[[Series, JudgeSettings], SeriesVerdict] = judge_series,
    ) -> None:
        """Begin a run; `settings` carry the confidences of the run as a whole."""
        self._settings = settings or JudgeSettings()
        self._horizon = horizon or Horizon()
        self._schedule = schedule or LookSchedule()
        self._judge_once = judge_once
        self._looks_before_end = 0
        self._due_at = 0.0
        self._agreeing = 0
        self.last: Look | None = None
        """The newest look; its word stands until the next."""

    @property
    def standing(self) -> Label:
        """What stands now."""
        return Label.INCONCLUSIVE if self.last is None else self.last.standing

    def offer(self, series: Series) -> Look | None:
        """Look at the series if a look is due; return the look, or None when the last word still stands.

        A run beyond the end of its plan is only looked at once more, by `conclude`.
        """
        extent = _extent(series)
        if extent is None or (self.last is not None and self.last.at_end):
            return None
        share_done = self._share_done(extent)
        if share_done is not None and share_done >= 1.0:
            return None
        progress = extent.elapsed_s if share_done is None else share_done
        if progress <= 0 or progress < self._due_at * (1.0 - 1e-9):
            return None
        number = 1 if self.last is None else self.last.number + 1
        if number == 1 and share_done is not None:
            self._looks_before_end = self._schedule.looks_before_end(share_done)
        look = self._look(series, extent, number, self._weight(number), at_end=False)
        if look.number:
            self._due_at = progress * self._schedule.growth
        return look

    def conclude(self, series: Series) -> Look:
        """Look for the last time, with what is left of the error; this look needs no other to agree."""
        extent = _extent(series) or _Extent(0.0, 0.0, 0.0)
        weight = self._schedule.share_at_end
        number = 1 if self.last is None else self.last.number + 1
        if self._horizon.share_done(0.0, 0.0) is None:
            weight = self._weight(number)
        return self._look(series, extent, number, weight, at_end=True)

    def _look(self, series: Series, extent: _Extent, number: int, weight: float, *, at_end: bool) -> Look:
        settings = self._settings_at(extent, weight)
        if not at_end:
            settings = replace(settings, still_running=True)
        verdict = self._judge_once(series, settings)
        if not at_end and math.isnan(verdict.growth_per_hour.estimate):
            number = 0  # too little to decide on, whatever it was: nothing was asked and nothing is spent
        same = self.last is not None and self.last.verdict.label is verdict.label
        self._agreeing = self._agreeing + 1 if same else 1
        stands = at_end or self._agreeing >= self._schedule.looks_to_stand(verdict.label)
        self.last = Look(
            number=number,
            t_s=extent.t_s,
            connections=extent.connections,
            settings=settings,
            verdict=verdict,
            standing=verdict.label if stands else Label.INCONCLUSIVE,
            at_end=at_end,
        )
        return self.last

    def _weight(self, number: int) -> float:
        if self._looks_before_end:
            return (1.0 - self._schedule.share_at_end) / self._looks_before_end
        return 6.0 / (math.pi * number) ** 2

    def _share_done(self, extent: _Extent) -> float | None:
        return self._horizon.share_done(extent.elapsed_s, extent.connections)

    def _settings_at(self, extent: _Extent, weight: float) -> JudgeSettings:
        settings = replace(
            self._settings,
            plateau_confidence=1.0 - weight * (1.0 - self._settings.plateau_confidence),
            climbing_confidence=1.0 - weight * (1.0 - self._settings.climbing_confidence),
        )
        share_done = self._share_done(extent)
        if settings.max_growth_bytes_per_hour is not None or not share_done or extent.elapsed_s <= 0:
            return settings
        # the judge spreads the relative budget over the life it judges: leave it that life's part of the plan
        began_s = self.last.verdict.restarts_at_s[-1:] if self.last is not None else ()
        life_s = extent.t_s - began_s[0] if began_s else extent.elapsed_s
        part = min(1.0, share_done * life_s / extent.elapsed_s)
        if part <= 0:
            return settings
        return replace(
            settings,
            relative_budget=settings.relative_budget * part,
            min_relative_budget_bytes=settings.min_relative_budget_bytes * part,
        )


@dataclass(frozen=True)
class _Extent:
    """How far a series reaches."""

    t_s: float
    elapsed_s: float
    connections: float


def _extent(series: Series) -> _Extent | None:
    stamped = series.t_s[np.isfinite(series.t_s)]
    if stamped.size == 0:
        return None
    connections = 0.0
    if series.connections_completed is not None:
        counted = series.connections_completed[np.isfinite(series.connections_completed)]
        connections = float(counted.max()) if counted.size else 0.0
    return _Extent(float(stamped[-1]), float(stamped[-1] - stamped[0]), connections)

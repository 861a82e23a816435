"""What a trial came to: was the leak found, how soon, how well measured, and was the right resource named."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from asr_server.inject import KINDS, Event, Resource
from soak.errors import ExitCode
from soak.judging import judge_run
from soak.verdict.quantities import Quantity
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from soak.judging import Judgement
    from soak.record import Run
    from soak.studies.selftest.trials import LeakTrial
    from soak.verdict.attribution import Culprit

ENOUGH = 0.9
"""A run that made less than this share of its connections proves nothing by what it did not find."""
COLUMN_OF = {
    Resource.FDS: Quantity.DESCRIPTORS,
    Resource.SOCKETS: Quantity.SOCKETS,
    Resource.THREADS: Quantity.THREADS,
    Resource.SESSIONS: Quantity.SESSIONS,
}
"""The columns of `samples.csv` in which a resource is counted."""
GOOD_SLOPE = 0.2
"""A slope within this share of the truth is a good one."""


class TrialResult(StrEnum):
    """How a trial ended; the first five are as expected."""

    DETECTED = "detected"
    CLEAN = "clean"
    ENDS = "ends, no leak"
    TOO_SMALL = "too small"
    UNDECIDED = "undecided"
    MISSED = "missed"
    MISNAMED = "misnamed"
    FALSE_ALARM = "false alarm"
    CUT_SHORT = "cut short"
    FAILED = "server failed"


AS_EXPECTED = frozenset(
    {TrialResult.DETECTED, TrialResult.CLEAN, TrialResult.ENDS, TrialResult.TOO_SMALL, TrialResult.UNDECIDED}
)


class SlopeUnit(StrEnum):
    """What a slope is measured in."""

    BYTES_PER_CONNECTION = "bytes per connection"
    BYTES_PER_HOUR = "bytes per hour"
    COUNT_PER_CONNECTION = "count per connection"


@dataclass(frozen=True)
class Truth:
    """What the server says it leaked, from its metrics in the quiet windows; zeros for a clean one."""

    bytes_per_connection: float = 0.0
    bytes_per_hour: float = 0.0
    times_per_connection: float = 0.0
    times: float = 0.0
    """How often, between the first quiet window and the last."""


@dataclass(frozen=True)
class TrialOutcome:
    """What one trial came to."""

    trial: LeakTrial
    result: TrialResult
    verdict: Label
    """What soak said of the run."""
    climbs: tuple[Resource, ...]
    """The resources it named."""
    culprits: tuple[Culprit, ...]
    """What the attribution says that climbs."""
    detected_after: int | None
    """Connections from which on it said climbing, whenever it had been asked; None if it did not."""
    slope: float
    """What it measured, in `unit`; NaN if nothing."""
    truth: float
    """What the server had leaked, in `unit`."""
    unit: SlopeUnit
    run: str
    """The run directory."""

    @property
    def as_expected(self) -> bool:
        """Whether it speaks for this installation."""
        return self.result in AS_EXPECTED

    @property
    def slope_is_good(self) -> bool | None:
        """Whether the slope of a leak that was detected is within 20 % of the truth; None for others."""
        if self.result is not TrialResult.DETECTED or not self.truth:
            return None
        return abs(self.slope / self.truth - 1.0) <= GOOD_SLOPE

    def to_json_object(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        injection = self.trial.injection
        expected = () if injection is None else KINDS[injection.kind].resources
        return {
            "name": self.trial.name,
            "kind": None if injection is None else injection.kind,
            "share": str(self.trial.share),
            "injection": None if injection is None else str(injection),
            "scenario": str(self.trial.scenario),
            "result": str(self.result),
            "as_expected": self.as_expected,
            "verdict": str(self.verdict),
            "detected_after_connections": self.detected_after,
            "slope": self.slope if math.isfinite(self.slope) else None,
            "truth": self.truth,
            "unit": str(self.unit),
            "slope_within_20_percent": self.slope_is_good,
            "climbs": [str(resource) for resource in self.climbs],
            "true_resources": [str(resource) for resource in expected],
            "culprits": [culprit.name.lower() for culprit in self.culprits],
            "true_culprit": None if injection is None else self.trial.culprit.name.lower(),
            "run": self.run,
        }


UNPROVED = (TrialResult.MISSED, TrialResult.UNDECIDED, TrialResult.TOO_SMALL)
"""What says nothing of a run that was cut short."""


def outcome_of(trial: LeakTrial, run: Run, judgement: Judgement, exit_code: ExitCode) -> TrialOutcome:
    """Compare what soak said of the recorded `run` with what was injected into its server."""
    verdict, truth = judgement.verdict, truth_of(run)
    climbs, attribution = _named(judgement), verdict.attribution
    unit, slope, true_slope = _slopes(trial, judgement, truth)
    result = _result(trial, judgement, truth, climbs)
    if exit_code is ExitCode.TARGET_FAILED:
        result = TrialResult.FAILED
    elif result in UNPROVED and _was_cut_short(run):
        result = TrialResult.CUT_SHORT
    return TrialOutcome(
        trial=trial,
        result=result,
        verdict=verdict.label,
        climbs=climbs,
        culprits=() if attribution is None else attribution.culprits,
        detected_after=_detected_after(run) if climbs else None,
        slope=slope,
        truth=true_slope,
        unit=unit,
        run=str(run.path),
    )


def _was_cut_short(run: Run) -> bool:
    planned = run.manifest.load_plan.connections
    return planned is not None and run.samples["connections_completed"].max() < ENOUGH * planned


def truth_of(run: Run) -> Truth:
    """Fit what was injected, as the server counted it, over the quiet windows between blocks of load."""
    samples = run.samples
    if "server_injected_bytes" not in samples:
        return Truth()
    rest = samples[(samples["phase"] == "rest") & samples["server_injected_bytes"].notna()]
    connections = rest["connections_completed"].to_numpy(np.float64)
    if connections.size < 2 or np.ptp(connections) <= 0:
        return Truth()
    t_s = rest["t_s"].to_numpy(np.float64)
    kept_bytes = rest["server_injected_bytes"].to_numpy(np.float64)
    times = rest["server_injected_events"].to_numpy(np.float64)
    return Truth(
        bytes_per_connection=_slope(connections, kept_bytes),
        bytes_per_hour=_slope(t_s, kept_bytes) * 3600.0,
        times_per_connection=_slope(connections, times),
        times=float(times[-1] - times[0]),
    )


def _slope(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> float:
    return float(np.polyfit(x, y, 1)[0])


def _named(judgement: Judgement) -> tuple[Resource, ...]:
    verdict = judgement.verdict
    memory = (Resource.MEMORY,) if verdict.memory_label is Label.CLIMBING else ()
    columns = verdict.climbing
    return (*memory, *(resource for resource, column in COLUMN_OF.items() if column in columns))


def _slopes(trial: LeakTrial, judgement: Judgement, truth: Truth) -> tuple[SlopeUnit, float, float]:
    """Return in which unit the leak is told, what was measured and what was true."""
    verdict = judgement.verdict
    leak = None if trial.injection is None else KINDS[trial.injection.kind]
    if leak is not None and leak.is_counted():
        counted = verdict.resources.get(COLUMN_OF[leak.resources[0]])
        growth = None if counted is None else counted.growth_per_connection
        measured = math.nan if growth is None else growth.estimate
        return SlopeUnit.COUNT_PER_CONNECTION, measured, truth.times_per_connection
    if leak is not None and leak.event is Event.SECOND:
        return SlopeUnit.BYTES_PER_HOUR, verdict.memory.growth_per_hour.estimate, truth.bytes_per_hour
    growth = verdict.memory.growth_per_connection
    measured = math.nan if growth is None else growth.estimate
    return SlopeUnit.BYTES_PER_CONNECTION, measured, truth.bytes_per_connection


def _result(
    trial: LeakTrial, judgement: Judgement, truth: Truth, climbs: tuple[Resource, ...]
) -> TrialResult:
    undecided = judgement.verdict.label is Label.INCONCLUSIVE
    if trial.injection is None or trial.must_not_climb:
        quiet = TrialResult.CLEAN if trial.injection is None else TrialResult.ENDS
        return TrialResult.FALSE_ALARM if climbs else TrialResult.UNDECIDED if undecided else quiet
    resources = KINDS[trial.injection.kind].resources
    if climbs:
        attribution = judgement.verdict.attribution
        culprits = () if attribution is None else attribution.culprits
        right = resources[0] in climbs and set(climbs) <= set(resources)
        return TrialResult.DETECTED if right and culprits[:1] == (trial.culprit,) else TrialResult.MISNAMED
    if trial.must_climb:
        return TrialResult.MISSED
    if undecided:
        return TrialResult.UNDECIDED
    return (
        TrialResult.TOO_SMALL
        if _within_what_it_admits(resources[0], judgement, truth)
        else TrialResult.MISSED
    )


def _within_what_it_admits(resource: Resource, judgement: Judgement, truth: Truth) -> bool:
    """Whether a plateau leaves room for the leak: growth it accepts, or says it could not have seen."""
    verdict = judgement.verdict
    if resource is Resource.MEMORY:
        limits = (verdict.memory.budget_per_hour, verdict.memory.minimum_detectable_per_hour)
        return truth.bytes_per_hour <= max(limit for limit in (0.0, *limits) if math.isfinite(limit))
    counted = verdict.resources.get(COLUMN_OF[resource])
    return counted is None or counted.label is Label.INCONCLUSIVE or truth.times <= counted.budget_over_run


def _detected_after(run: Run) -> int | None:
    """Judge ever shorter beginnings of the run; return the connections of the shortest that still climbs."""
    samples = run.samples
    after = None
    for block in sorted({int(block) for block in samples["block"].dropna()}, reverse=True):
        part = samples[samples["block"] <= block]
        if judge_run(replace(run, samples=part)).verdict.label is not Label.CLIMBING:
            break
        after = int(part["connections_completed"].max())
    return after

"""The results of a self-test: what all of it comes to, as JSON and as an exit code."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from asr_server.inject import Resource
from soak.errors import ExitCode
from soak.record.directory import write_json
from soak.studies.conduct import read_kept
from soak.studies.selftest.outcome import SlopeUnit, TrialOutcome, TrialResult
from soak.studies.selftest.trials import LeakTrial, Share, TrialScenario, trial_of
from soak.verdict.attribution import Culprit
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SCHEMA_VERSION = 1
FILE_NAME = "selftest.json"


def to_json_object(outcomes: Sequence[TrialOutcome], *, complete: bool) -> dict[str, Any]:
    """Return the outcomes as JSON-ready values."""
    return {
        "schema_version": SCHEMA_VERSION,
        "complete": complete,
        "as_expected": complete and all(outcome.as_expected for outcome in outcomes),
        "trials": [outcome.to_json_object() for outcome in outcomes],
    }


def selftest_exit_code(outcomes: Sequence[TrialOutcome]) -> ExitCode:
    """Return the exit code of a self-test that was not interrupted."""
    if any(outcome.result is TrialResult.FAILED for outcome in outcomes):
        return ExitCode.TARGET_FAILED
    bad = {outcome.result for outcome in outcomes if not outcome.as_expected}
    if bad == {TrialResult.CUT_SHORT}:
        return ExitCode.INCONCLUSIVE
    return ExitCode.CLIMBING if bad else ExitCode.PLATEAU


def write_results(
    folder: Path,
    trials: Sequence[LeakTrial],
    connections: int,
    outcomes: Sequence[TrialOutcome],
    *,
    complete: bool,
) -> None:
    """Write `selftest.json`: what is tried, and the outcomes so far; raises `SoakError`."""
    planned = [
        {
            "kind": None if trial.injection is None else trial.injection.kind,
            "share": str(trial.share),
            "scenario": str(trial.scenario),
        }
        for trial in trials
    ]
    content = to_json_object(outcomes, complete=complete)
    write_json(folder / FILE_NAME, {**content, "connections": connections, "planned": planned})


def read_results(folder: Path) -> tuple[list[LeakTrial], int, list[TrialOutcome]]:
    """Read back what is tried, with how many connections, and the outcomes so far; raises `SoakError`."""
    return read_kept(folder / FILE_NAME, "a self-test", SCHEMA_VERSION, _read)


def _read(content: dict[str, Any]) -> tuple[list[LeakTrial], int, list[TrialOutcome]]:
    trials = [_trial(each) for each in content["planned"]]
    outcomes = [_outcome(*each) for each in zip(trials, content["trials"], strict=False)]
    return trials, int(content["connections"]), outcomes


def _trial(planned: dict[str, Any]) -> LeakTrial:
    if planned["kind"] is None:
        return LeakTrial(TrialScenario(planned["scenario"]))
    return trial_of(planned["kind"], Share(planned["share"]))


def _outcome(trial: LeakTrial, kept: dict[str, Any]) -> TrialOutcome:
    return TrialOutcome(
        trial=trial,
        result=TrialResult(kept["result"]),
        verdict=Label(kept["verdict"]),
        climbs=tuple(Resource(each) for each in kept["climbs"]),
        culprits=tuple(Culprit[each.upper()] for each in kept["culprits"]),
        detected_after=kept["detected_after_connections"],
        slope=math.nan if kept["slope"] is None else kept["slope"],
        truth=kept["truth"],
        unit=SlopeUnit(kept["unit"]),
        run=kept["run"],
    )

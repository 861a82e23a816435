"""A self-test that is given up and gone on with."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from asr_server.inject import Resource
from soak.errors import SoakError
from soak.studies.selftest.outcome import SlopeUnit, TrialOutcome, TrialResult
from soak.studies.selftest.study import SelfTest
from soak.studies.selftest.trials import LeakTrial, TrialScenario, controls, quick_trials, trials_of
from soak.verdict.attribution import Culprit
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from pathlib import Path


def outcome(trial: LeakTrial, slope: float = 1.5) -> TrialOutcome:
    return TrialOutcome(
        trial, TrialResult.DETECTED, Label.CLIMBING, (Resource.MEMORY,), (Culprit.NATIVE,), 200, slope, 1.4,
        SlopeUnit.BYTES_PER_CONNECTION, "a run",
    )  # fmt: skip


def test_the_next_trial_is_the_first_without_an_outcome(tmp_path: Path) -> None:
    study = SelfTest(quick_trials(), 288, tmp_path)
    first = study.next_run([])
    assert first is not None
    assert (first.name, first.words, first.to_follow) == ("control", "nothing injected", 5)
    done = [outcome(trial) for trial in study.trials]
    second = study.next_run(done[:1])
    assert second is not None
    assert (second.name, second.to_follow) == ("session-full", 4)
    assert second.config.load.connections == 288
    assert study.next_run(done) is None


@pytest.mark.parametrize(
    "trials", [quick_trials(), controls(3), trials_of(["fd", "hotword"])], ids=["quick", "clean", "kinds"]
)
def test_what_was_made_is_read_back(trials: list[LeakTrial], tmp_path: Path) -> None:
    folder = tmp_path / "selftest"
    study = SelfTest(trials, 200, folder)
    study.keep([], complete=False)
    assert SelfTest.read(folder)[1] == []
    study.keep([outcome(trials[0]), outcome(trials[1])], complete=False)
    again, done = SelfTest.read(folder)
    assert (again.trials, again.connections) == (tuple(trials), 200)
    assert done == [outcome(trials[0]), outcome(trials[1])]


def test_a_slope_that_was_not_measured_stays_unknown(tmp_path: Path) -> None:
    study = SelfTest([LeakTrial(TrialScenario.PLAIN)], 200, tmp_path)
    study.keep([outcome(study.trials[0], math.nan)], complete=True)
    assert math.isnan(SelfTest.read(tmp_path)[1][0].slope)


def test_what_is_no_record_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SoakError, match="give the directory of a self-test"):
        SelfTest.read(tmp_path)
    (tmp_path / "selftest.json").write_text(json.dumps({"schema_version": 1}))
    with pytest.raises(SoakError, match="is not the record of a self-test"):
        SelfTest.read(tmp_path)

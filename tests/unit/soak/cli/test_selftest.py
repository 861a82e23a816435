"""The exit code and the JSON of `soak selftest`, with trials that were not run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from soak import cli
from soak.studies.conduct import Interrupted
from soak.studies.selftest.outcome import SlopeUnit, TrialOutcome, TrialResult
from soak.studies.selftest.trials import quick_trials
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from soak.studies.selftest.study import SelfTest


def _ending_in(results: Sequence[TrialResult | None]) -> object:
    def conduct(study: SelfTest, *_: object) -> Iterator[TrialOutcome]:
        for trial, result in zip(study.trials, results, strict=False):
            if result is None:
                raise Interrupted
            yield TrialOutcome(
                trial, result, Label.CLIMBING, (), (), None, 1.0, 1.0, SlopeUnit.BYTES_PER_CONNECTION, "a run"
            )

    return conduct


def _run(monkeypatch: pytest.MonkeyPatch, results: Sequence[TrialResult | None], *arguments: str) -> int:
    monkeypatch.setattr("soak.studies.conduct.conduct", _ending_in(results))
    monkeypatch.setattr("sys.argv", ["soak", "selftest", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("results", "status"),
    [
        (
            [
                TrialResult.CLEAN,
                TrialResult.DETECTED,
                TrialResult.TOO_SMALL,
                TrialResult.UNDECIDED,
                TrialResult.ENDS,
            ],
            0,
        ),
        ([TrialResult.CLEAN, TrialResult.MISSED], 1),
        ([TrialResult.MISNAMED], 1),
        ([TrialResult.CLEAN, TrialResult.CUT_SHORT], 3),
        ([TrialResult.MISSED, TrialResult.CUT_SHORT], 1),
        ([TrialResult.FALSE_ALARM, TrialResult.DETECTED], 1),
        ([TrialResult.MISSED, TrialResult.FAILED], 4),
        ([TrialResult.CLEAN, None], 130),
        ([None], 130),
    ],
)
def test_the_exit_code_is_that_of_the_worst(
    monkeypatch: pytest.MonkeyPatch, results: list[TrialResult | None], status: int
) -> None:
    assert _run(monkeypatch, results) == status


def test_json_stands_alone_on_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, [TrialResult.CLEAN, TrialResult.MISSED], "--json") == 1
    said = capsys.readouterr()
    data = json.loads(said.out)
    assert (data["complete"], data["as_expected"]) == (True, False)
    assert [trial["name"] for trial in data["trials"]] == [each.name for each in quick_trials()[:2]]
    assert "1 of 2 not as expected: session-full (missed)." in said.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--kind", "sesion"], "--kind sesion: there is no such kind"),
        (["--all", "--kind", "fd"], "give one of --all, --kind and --clean"),
        (["--resume", "x", "--all"], "--resume goes on with the trials that were begun"),
        (["--resume", "nowhere"], "cannot read nowhere/selftest.json"),
        (["--connections", "20"], "--connections must be at least 180, not 20"),
    ],
)
def test_a_mistake_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert _run(monkeypatch, [], *arguments) == 2
    assert words in capsys.readouterr().err

"""Comparing runs: what is shown, what is not, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from soak.cli import app
from soak.errors import SoakError
from soak.studies.check.against_baseline import regressions
from soak.studies.check.findings import Outcome
from soak.studies.compare.baseline import read_baseline, write_baseline
from soak.studies.compare.comparing import Change, Compared, compare
from soak.studies.compare.reading import read_side
from soak.studies.compare.side import differences

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

    from tests.unit.soak.studies.conftest import Record

HEAD = '{"kind": "soak-baseline", "schema_version": 1, "name": "x", "identity": {}, "versions": {}'


def _rows(before: Path, after: Path) -> dict[str, Compared]:
    return {row.name: row for row in compare(read_side(before), read_side(after))}


def test_ten_percent_more_memory_is_worse_and_says_where(record: Record) -> None:
    rows = _rows(record("before"), record("after", level_mib=119.0, seed=4))
    assert rows["level"].change is Change.WORSE
    assert rows["level"].relative == pytest.approx(11 / 108, abs=0.005)
    assert rows["level"].difference.low > 0
    assert rows["per-connection"].change is Change.NOT_SHOWN
    assert rows["growth"].change is Change.NOT_SHOWN
    findings = {finding.name: finding for finding in regressions(list(rows.values()), "baseline.json")}
    assert findings["baseline-level"].outcome is Outcome.FAILED
    assert "baseline.json" in findings["baseline-level"].message
    assert findings["baseline-final-p50"].outcome is Outcome.PASSED


def test_less_memory_is_better_and_the_same_is_no_difference(record: Record) -> None:
    before = record("before")
    assert _rows(before, record("after", level_mib=97.0, seed=5))["level"].change is Change.BETTER
    changes = {row.change for row in _rows(before, record("again", seed=6)).values()}
    assert changes == {Change.NOT_SHOWN}


def test_a_leak_shows_as_growth_per_connection(record: Record) -> None:
    rows = _rows(record("before"), record("after", kept_bytes=32 * 1024, seed=4))
    assert rows["per-connection"].change is Change.WORSE
    assert rows["per-connection"].difference.estimate == pytest.approx(32 * 1024, rel=0.1)


def test_repeats_narrow_the_interval(record: Record, tmp_path: Path) -> None:
    for seed in range(4):
        record("many", seed=seed)
        record("others", seed=10 + seed)
    one = _rows(record("one"), record("other", seed=9))["level"].difference
    many = _rows(tmp_path / "many", tmp_path / "others")["level"].difference
    assert many.high - many.low < 0.7 * (one.high - one.low)


def test_a_baseline_says_the_same_as_its_runs(record: Record, tmp_path: Path) -> None:
    before, after = record("before"), record("after", level_mib=119.0)
    side = read_side(before)
    write_baseline(side, tmp_path / "baseline.json")
    assert read_baseline(tmp_path / "baseline.json") == side
    rows = _rows(tmp_path / "baseline.json", after)
    assert repr(rows) == repr(_rows(before, after))  # NaN is NaN here: what cannot be stated as a share


def test_unlike_things_are_told_apart_in_words(record: Record) -> None:
    before = read_side(record("before"))
    unlike = {
        "threads": record("threads", server={"decoder_thread_num": 32}),
        "model": record("model", server={"model": "large"}),
        "machine": record("machine", host={"cores": 64}),
    }
    for name, path in unlike.items():
        (said,) = differences(before, read_side(path))
        assert said.startswith(f"{name}: ")
    assert not differences(before, read_side(record("kernel", host={"kernel": "7", "cpu_model": "B"})))


def test_repeats_of_different_things_are_refused(record: Record, tmp_path: Path) -> None:
    record("mixed")
    record("mixed", server={"model": "large"})
    with pytest.raises(SoakError, match="cannot be repeats of one thing: model"):
        read_side(tmp_path / "mixed")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is no baseline"),
        ("[]", "is no baseline"),
        ('{"kind": "other"}', "is no baseline: write one"),
        ('{"kind": "soak-baseline", "schema_version": 9}', "has schema_version 9"),
        (f'{HEAD}, "runs": []}}', "holds no runs"),
        (f'{HEAD}, "runs": [{{}}]}}', "is no baseline: runs.0.run is missing"),
    ],
)
def test_a_broken_baseline_is_one_line(text: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(text)
    with pytest.raises(SoakError, match=complaint) as error:
        read_baseline(path)
    assert "\n" not in str(error.value)
    with pytest.raises(SoakError, match="write one with 'soak baseline save'"):
        read_baseline(tmp_path / "missing.json")


def test_the_verbs_save_show_and_compare(record: Record, tmp_path: Path) -> None:
    before, after = record("before"), record("after", level_mib=119.0)
    runner, file = CliRunner(), str(tmp_path / "base.json")
    saved = runner.invoke(app, ["baseline", "save", str(before), "--output", file, "--name", "main"])
    assert saved.exit_code == 0, saved.output
    shown = runner.invoke(app, ["baseline", "show", file])
    assert "main, 1 run(s)" in " ".join(shown.output.split())
    same = runner.invoke(app, ["compare", file, str(before)])
    assert same.exit_code == 0
    worse = runner.invoke(app, ["compare", file, str(after), "--json"])
    assert worse.exit_code == 1
    (comparison,) = json.loads(worse.stdout)["comparisons"]
    figures = {figure["name"]: figure["change"] for figure in comparison["figures"]}
    assert figures["level"] == "worse"
    assert max(len(line) for line in same.output.splitlines()) <= 80


def test_compare_refuses_unlike_sides_unless_told(record: Record) -> None:
    sides = [str(record("before")), str(record("after", server={"model": "large"}))]
    refused = CliRunner().invoke(app, ["compare", *sides])
    assert isinstance(refused.exception, SoakError)
    assert "--allow-unlike" in str(refused.exception)
    assert CliRunner().invoke(app, ["compare", *sides, "--allow-unlike"]).exit_code == 0


def test_a_check_against_a_baseline_fails_on_more_memory_and_says_when_it_cannot_compare(
    record: Record, tmp_path: Path
) -> None:
    file = tmp_path / "base.json"
    write_baseline(read_side(record("before")), file)

    def check(path: Path, *more: str) -> Result:
        return CliRunner().invoke(app, ["check", str(path), "--baseline", str(file), "--json", *more])

    worse = check(record("after", level_mib=119.0))
    assert worse.exit_code == 1
    assert json.loads(worse.stdout)["headline"].startswith("failed: baseline-")
    assert check(record("again", seed=8)).exit_code == 0
    unlike = check(record("other", server={"model": "large"}))
    assert unlike.exit_code == 3
    assert json.loads(unlike.stdout)["headline"] == "undecided: baseline"
    leaking = check(record("leaking", kept_bytes=32 * 1024, server={"model": "large"}))
    assert leaking.exit_code == 1
    assert check(record("unlike", server={"model": "large"}), "--allow-unlike").exit_code == 0

"""The verb that finds the run at which memory stepped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import matplotlib.image
from typer.testing import CliRunner

from soak.cli import app
from soak.errors import SoakError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.soak.studies.conftest import Record


def test_the_step_and_what_changed_with_it_are_told(record: Record, tmp_path: Path) -> None:
    for day in range(1, 5):
        record("nightly", day=day, seed=day)
    for day in range(5, 8):
        record("nightly", day=day, seed=day, level_mib=119.0, host={"kernel": "7"})
    record("nightly/other", server={"model": "large"})
    runs = str(tmp_path / "nightly")
    done = CliRunner().invoke(app, ["history", runs, "--json", "--png", str(tmp_path / "history.png")])
    assert done.exit_code == 0, done.output
    longest, other = json.loads(done.stdout)["histories"]
    assert [run["started_utc"][8:10] for run in longest["runs"]] == [f"{day:02}" for day in range(1, 8)]
    (step,) = longest["steps"]
    assert step["run"] == longest["runs"][4]["run"]
    assert step["changed_versions"] == ["kernel 6 → 7"]
    assert step["low"] > 0
    assert len(other["runs"]) == 1
    assert matplotlib.image.imread(tmp_path / "history.png").shape[1] == 1600
    told = CliRunner().invoke(app, ["history", runs])
    assert "▲ +11" in told.stdout
    assert "kernel 6 → 7" in told.stdout
    assert "too few for a step" in told.stdout
    assert max(len(line) for line in told.stdout.splitlines()) <= 80


def test_a_history_that_cannot_be_read_is_one_line(record: Record, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, complaint in (
        (["history", str(tmp_path / "empty")], "holds no run directories"),
        (["history", str(record()), "--figure", "memory"], "there are start, level, growth, peak"),
    ):
        done = CliRunner().invoke(app, arguments)
        assert isinstance(done.exception, SoakError)
        assert complaint in str(done.exception)


def test_runs_that_cannot_be_judged_are_left_out_with_a_word(record: Record, tmp_path: Path) -> None:
    for day in range(1, 4):
        record("nightly", day=day)
    torn = record("nightly", day=4)
    (torn / "manifest.json").unlink()
    done = CliRunner().invoke(app, ["history", str(tmp_path / "nightly")])
    assert done.exit_code == 0
    assert "left out" in done.stdout
    assert "3 run(s)" in done.stdout

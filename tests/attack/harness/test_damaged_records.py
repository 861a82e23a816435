"""A damaged record ends in a verdict with all its files, or in one line: never in a traceback."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from junitparser import JUnitXml

from soak.errors import SoakError
from soak.foreign_text import visible
from soak.report.markdown import render_markdown
from soak.run.session import judge_and_report
from soak.studies.check.limits import Limits
from soak.studies.check.outputs import Outputs
from soak.studies.check.result import Criteria, check_recorded
from tests.attack.harness.damage import damage
from tests.seeds import seeds

GOOD = Path(__file__).parents[3] / "reports" / "reference" / "minimal"
TRIED = 60


@pytest.fixture
def run(tmp_path: Path) -> Path:
    copied = tmp_path / "run"
    shutil.copytree(GOOD, copied)
    return copied


@pytest.mark.parametrize("seed", seeds(TRIED, always=6))
def test_a_damaged_record_ends_in_a_verdict_or_in_a_line(
    run: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    done = damage(run, seed)
    try:
        _, judgement, report = judge_and_report(run)
        out = run.parent / "out"
        outputs = Outputs(out / "j.xml", out / "m.md", out / "m.txt", out / "a.zip")
        outputs.write(check_recorded(run, Criteria(Limits(max_fds=5, max_cer=0.1))))
    except SoakError as error:
        said = str(error)
        assert len(said.splitlines()) == 1, done
        assert str(run) in said, done
        return
    json.dumps(judgement.to_json_object(), allow_nan=False)
    markdown = render_markdown(report)
    assert visible(markdown) == markdown, done
    assert "![" not in markdown.replace("\\[", "("), done
    JUnitXml.fromfile(str(out / "j.xml"))
    assert {"report.html", "memory.png", "verdict.json"} <= {each.name for each in run.iterdir()}, done


def test_the_good_rows_before_zeros_are_read(run: Path) -> None:
    samples = run / "samples.csv"
    rows = samples.read_bytes().splitlines(keepends=True)
    half = len(rows) // 2
    samples.write_bytes(b"".join(rows[:half]) + rows[half][:20] + bytes(100_000))
    read, _, _ = judge_and_report(run)
    assert len(read.samples) == half - 1
    assert read.torn


@pytest.mark.parametrize(
    ("column", "cell"), [("rss_bytes", "inf"), ("rss_bytes", "1e300"), ("t_s", "inf"), ("fds", "-1")]
)
def test_a_row_that_cannot_be_is_named(run: Path, column: str, cell: str) -> None:
    samples = run / "samples.csv"
    header, *rows = [line.split(",") for line in samples.read_text().splitlines()]
    rows[9][header.index(column)] = cell
    samples.write_text("\n".join(map(",".join, [header, *rows])) + "\n")
    with pytest.raises(SoakError, match=rf"line 11: {column} is {cell}"):
        judge_and_report(run)


def test_a_link_in_place_of_a_report_is_not_followed(run: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    os.symlink(precious, run / "report.html")
    with pytest.raises(SoakError, match="symbolic link"):
        judge_and_report(run)
    assert precious.read_text() == "mine"

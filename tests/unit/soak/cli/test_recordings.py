"""Other people's files through the verbs that take them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from soak.cli import app

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

SECONDS = ("hour", "/h", " h ", " min", " s)")


def soak(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """Sixty calls, each of which keeps a MiB."""
    path = tmp_path / "calls.csv"
    rows = "".join(f"{call},{500 + call}.{call % 7}\n" for call in range(60))
    path.write_text(f"iteration,rss_mb\n{rows}")
    return path


@pytest.fixture
def pods(tmp_path: Path) -> Path:
    path = tmp_path / "pods.csv"
    rows = "".join(
        f"2026-11-26T{minute // 60:02}:{minute % 60:02}:00Z,{8e8 + minute % 3 * 4096:.0f},{9e8:.0f}\n"
        for minute in range(120)
    )
    path.write_text(f"Time,asr-0,asr-1\n{rows}")
    return path


def test_growth_by_iteration_says_nothing_of_seconds(calls: Path) -> None:
    done = soak("analyze", calls)
    assert done.exit_code == 1
    assert "read as a CSV; memory in MB; 60 readings over 59 iterations" in done.stdout
    assert "MiB/iteration" in done.stdout
    assert not [each for each in SECONDS if each in done.stdout]
    told = json.loads(soak("analyze", calls, "--json").stdout)
    assert told["step"] == "iteration"
    assert told["growth_bytes_per_step"]["estimate"] == pytest.approx(2**20, rel=0.1)
    assert told["growth_bytes_per_hour"] is None
    assert not [name for name, value in told.items() if name.endswith("_s") and value is not None]


def test_several_series_have_a_line_and_an_object_each(pods: Path) -> None:
    done = soak("analyze", pods)
    assert done.exit_code == 0
    assert [line.split()[-1] for line in done.stdout.splitlines()[1:]] == ["asr-0", "asr-1"]
    assert done.stderr.count("read as a CSV") == 2
    told = [json.loads(line) for line in soak("analyze", pods, "--json").stdout.splitlines()]
    assert [(each["source"], each["series"]) for each in told] == [(str(pods), "asr-0"), (str(pods), "asr-1")]


def test_series_stand_among_the_files_of_a_fleet(pods: Path, calls: Path) -> None:
    done = soak("analyze", pods, calls, pods, calls)
    lines = done.stdout.splitlines()[1:-1]
    assert [line.split()[1] for line in lines] == ["plateau"] * 2 + ["climbing"] + ["plateau"] * 2 + [
        "climbing"
    ]
    assert "MiB/iteration" in lines[2]


def test_a_report_of_a_file_is_written_beside_it(calls: Path) -> None:
    assert soak("report", calls).exit_code == 0
    folder = calls.with_name("calls-report")
    assert {each.name for each in folder.iterdir()} == {"memory.png", "report.html", "verdict.json"}
    page = (folder / "report.html").read_text()
    assert "MiB/iteration" in page
    assert "read as a CSV; memory in MB; 60 readings over 59 iterations" in page


def test_two_files_are_compared_where_their_axes_are_one(calls: Path, pods: Path) -> None:
    before = calls.with_name("before.csv")
    before.write_text(calls.read_text().replace(",5", ",2"))
    done = soak("compare", before, calls)
    assert done.exit_code == 1
    assert "level reached" in done.stdout
    assert soak("compare", calls, before).exit_code == 0
    unlike = soak("compare", calls, pods)
    assert unlike.exit_code != 0
    assert "readings by iteration against readings by time" in str(unlike.exception)


def test_advice_for_a_file_speaks_of_no_threads_of_funasr(pods: Path) -> None:
    done = soak("advise", pods, "--memory", "asr-0")
    assert done.exit_code == 0
    assert "thread" not in done.stdout
    several = soak("advise", pods)
    assert "holds 2 series (asr-0, asr-1): say which with --memory" in str(several.exception)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--unit", "potatoes"), "--unit potatoes: write B, KB"),
        (("--every", "often"), "--every often: write a time"),
    ],
)
def test_a_wrong_option_is_told_in_a_line(calls: Path, options: tuple[str, str], words: str) -> None:
    done = soak("analyze", calls, *options)
    assert words in str(done.exception)

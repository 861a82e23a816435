"""Reading what was recorded: whole, torn, or somebody else's CSV."""

import json
from pathlib import Path

import pytest

from soak.errors import SoakError
from soak.record import read_run


def _run_directory(path: Path, samples: str, events: str = "") -> Path:
    path.mkdir()
    (path / "samples.csv").write_text(samples)
    (path / "events.jsonl").write_text(events)
    (path / "manifest.json").write_text(json.dumps({"schema_version": 1, "name": "minimal"}))
    return path


def test_a_torn_last_row_and_event_are_left_out_and_said(tmp_path: Path) -> None:
    path = _run_directory(
        tmp_path / "run",
        "t_s,rss_bytes,phase\n0,100,load\n1,110,rest\n2,1",
        '{"t_s": 0, "event": "ready"}\n{"t_s": 1, "ev',
    )
    run = read_run(path)
    assert run.torn
    assert run.samples["t_s"].tolist() == [0.0, 1.0]
    assert run.samples["phase"].tolist() == ["load", "rest"]
    assert [event.name for event in run.events] == ["ready"]


def test_a_csv_without_a_last_line_end_keeps_its_last_row(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("t_s,rss_bytes\n0,100\n1,110")
    run = read_run(path)
    assert run.samples["rss_bytes"].tolist() == [100.0, 110.0]
    assert not run.torn
    assert run.name == "mine"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("time,rss\n1,2\n", r"has no column t_s and rss_bytes \(found: time, rss\)"),
        ("t_s,rss_bytes\n0,100\n1,lots\n", "line 3: rss_bytes is 'lots', not a number"),
        ('t_s,rss_bytes\n0,"1\n1,2\n', "not a readable CSV|rss_bytes"),
    ],
)
def test_a_csv_that_cannot_be_used_gets_one_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(content)
    with pytest.raises(SoakError, match=message) as caught:
        read_run(path)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_no_run_and_a_path_that_is_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(SoakError, match=r"holds no samples\.csv"):
        read_run(tmp_path)
    with pytest.raises(SoakError, match="does not exist"):
        read_run(tmp_path / "gone")


def test_a_run_of_a_newer_soak_is_refused(tmp_path: Path) -> None:
    path = _run_directory(tmp_path / "run", "t_s,rss_bytes\n0,100\n")
    (path / "manifest.json").write_text('{"schema_version": 2}')
    with pytest.raises(SoakError, match=r"schema_version 2.*upgrade soak"):
        read_run(path)

"""The run directory: what is written is there at once, and nothing of it is lost."""

import errno
import json
import os
from pathlib import Path

import pytest

from soak.columns import COLUMNS, Column, Unit
from soak.errors import ExitCode, SoakError
from soak.record import RunDirectory, read_run
from soak.record.events import Ready
from soak.record.manifest import Manifest


def test_every_line_is_in_the_file_before_the_directory_is_closed(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, "minimal")
    directory.append_sample({"t_s": 0.0, "rss_bytes": 1000, "phase": "load"})
    directory.append_event(Ready(attempts=2))
    # nothing flushed or closed: this is what a kill at this moment leaves
    rows = (directory.path / "samples.csv").read_text().splitlines()
    assert rows[0].split(",") == list(COLUMNS)
    assert rows[1].startswith("0,1000,,,load,")
    event = json.loads((directory.path / "events.jsonl").read_text())
    assert (event["event"], event["attempts"]) == ("ready", 2)
    assert {"t_s", "utc"} <= event.keys()
    directory.close()


def test_an_unread_value_is_an_empty_cell_and_reads_back_as_nan(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path, "minimal") as directory:
        directory.append_sample({"t_s": 1.5, "rss_bytes": None, "cpu_s": float("nan")})
        directory.append_sample({"t_s": 2.5, "rss_bytes": 4096, "cpu_s": 0.25})
        directory.write_manifest(Manifest(name="minimal"))
        run = read_run(directory.path)
    assert run.samples["rss_bytes"].isna().tolist() == [True, False]
    assert run.samples["cpu_s"].tolist()[1] == 0.25
    assert run.samples["t_s"].tolist() == [1.5, 2.5]
    assert not run.torn


def test_two_runs_in_one_second_get_two_directories(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path, "high") as first, RunDirectory.create(tmp_path, "high") as second:
        assert first.path != second.path


def test_a_full_disk_is_told_in_one_line_that_says_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RunDirectory.create(tmp_path, "minimal") as directory:
        directory.append_sample({"t_s": 0.0, "rss_bytes": 1000})

        def no_space(*_: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as full_disk:
            full_disk.setattr(os, "write", no_space)
            with pytest.raises(SoakError, match=r"no space left .*samples\.csv.* kept") as caught:
                directory.append_sample({"t_s": 1.0, "rss_bytes": 1000})
        assert caught.value.exit_code is ExitCode.USAGE
        assert "\n" not in str(caught.value)
        assert len(read_run(directory.path).samples) == 1


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SoakError, match=r"cannot write .*file.*choose another --out"):
        RunDirectory.create(tmp_path / "file", "minimal")


def test_a_manifest_is_replaced_as_a_whole(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path, "minimal") as directory:
        directory.write_manifest(Manifest(name="a"))
        directory.write_manifest(Manifest(name="b"))
        assert json.loads((directory.path / "manifest.json").read_text()) == {
            "schema_version": 1,
            "name": "b",
        }
        assert not list(directory.path.glob("*.tmp"))
        assert not list(directory.path.glob(".*"))


def test_columns_of_another_memory_source_stand_after_ours_and_are_read_back(tmp_path: Path) -> None:
    foreign = Column("go_heap_bytes", "go", Unit.BYTES, "Go's heap")
    with RunDirectory.create(tmp_path, "minimal", (foreign,)) as directory:
        directory.append_sample({"t_s": 0.0, "rss_bytes": 1000, "go_heap_bytes": 500})
        directory.write_manifest(Manifest(name="minimal"))
    header = (directory.path / "samples.csv").read_text().splitlines()[0].split(",")
    assert header == [*COLUMNS, "go_heap_bytes"]
    run = read_run(directory.path)
    assert run.manifest.foreign_columns == (foreign,)
    assert run.samples["go_heap_bytes"].tolist() == [500]
    assert "go_heap_bytes" not in read_run(directory.path, ("t_s", "rss_bytes")).samples


def test_a_column_of_another_memory_source_may_not_take_the_name_of_ours(tmp_path: Path) -> None:
    clash = Column("rss_bytes", "go", Unit.BYTES, "RSS")
    with pytest.raises(ValueError, match=r"rss_bytes of the memory source go is written by process already"):
        RunDirectory.create(tmp_path, "minimal", (clash,))

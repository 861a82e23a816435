"""`soak analyze` over one run and over a fleet's: order, lines, errors, exit codes, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from soak.cli import app
from soak.studies.fleet import WORTH_A_POOL, judge_fleet

SECONDS = 600
SCRIPT = "import soak.cli; soak.cli.main()"


def _csv(path: Path, bytes_per_second: int = 0, seconds: int = SECONDS) -> Path:
    """Write one sample a second: 200 MiB with page-sized noise, and a steady growth."""
    rows = [
        f"{second},{200 * 2**20 + bytes_per_second * second + 4096 * (second * second * 7919 % 13)}"
        for second in range(seconds)
    ]
    path.write_text("\n".join(("t_s,rss_bytes", *rows)) + "\n")
    return path


@pytest.fixture
def fleet(tmp_path: Path) -> list[str]:
    """Six recordings: flat ones, a short one, something that is no CSV, and one that is not there."""
    flat = [_csv(tmp_path / f"flat{number}.csv") for number in range(3)]
    short = _csv(tmp_path / "short.csv", seconds=1)
    garbage = tmp_path / "garbage.csv"
    garbage.write_bytes(bytes(range(256)))
    return [str(path) for path in (flat[0], garbage, flat[1], tmp_path / "gone.csv", short, flat[2])]


def _analyze(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["analyze", *arguments])


def test_a_fleet_is_told_line_by_line_in_the_order_given(fleet: list[str]) -> None:
    done = _analyze(*fleet)
    head, *lines, summary = done.stdout.splitlines()
    assert head.split() == ["verdict", "growth/h", "plateau", "run"]
    said = [line.split()[1] for line in lines]
    assert said == ["plateau", "unreadable", "plateau", "unreadable", "inconclusive", "plateau"]
    assert [line.split()[-1] for line in lines] == fleet
    assert summary.startswith("6 runs in ")
    assert summary.endswith(": 3 plateau, 0 climbing, 1 inconclusive, 2 unreadable")
    complaints = done.stderr.splitlines()
    assert len(complaints) == 2
    assert all(line.startswith("soak: ") for line in complaints)
    assert done.exit_code == 2


def test_a_fleet_as_json_is_one_object_per_run_in_order(fleet: list[str]) -> None:
    done = _analyze(*fleet, "--json")
    objects = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["source"] for each in objects] == fleet
    assert [each["verdict"] for each in objects][:3] == ["plateau", None, "plateau"]
    assert "binary" in objects[1]["error"]
    assert "does not exist" in objects[3]["error"]
    assert "error" not in objects[0]
    assert done.stderr.splitlines()[-1].startswith("6 runs in ")


def test_changed_transcripts_in_a_fleet_are_told_on_standard_error(fleet: list[str], tmp_path: Path) -> None:
    changed = tmp_path / "changed.csv"
    rows = _csv(tmp_path / "plain.csv").read_text().splitlines()
    header = f"{rows[0]},connections_completed,transcripts_changed"
    changed.write_text("\n".join((header, *(f"{row},{at},{at // 300}" for at, row in enumerate(rows[1:])))))
    done = _analyze(*fleet[:3], str(changed))
    assert f"soak: {changed}: 1 of 599 transcripts changed" in done.stderr.splitlines()
    assert json.loads(_analyze(str(changed), "--json").stdout)["transcripts"]["changed"] == 1
    assert "! 1 of 599 transcripts changed." in _analyze(str(changed)).stdout


def test_one_process_or_several_say_the_same(fleet: list[str]) -> None:
    paths = [Path(name) for name in fleet]
    with closing(judge_fleet(paths, jobs=1)) as alone, closing(judge_fleet(paths, jobs=2)) as together:
        for one, other in zip(alone, together, strict=True):
            assert (one.path, one.error) == (other.path, other.error)
            if one.judgement is not None and other.judgement is not None:
                assert one.judgement.exit_code is other.judgement.exit_code
                assert one.judgement.verdict.reasons == other.judgement.verdict.reasons


def test_what_cannot_be_read_does_not_stop_a_few_runs_either(tmp_path: Path) -> None:
    flat = _csv(tmp_path / "flat.csv")
    done = _analyze(str(tmp_path / "gone.csv"), str(flat))
    assert "PLATEAU" in done.stdout
    assert done.stderr.count("\n") == 1
    assert done.exit_code == 2


def test_a_leak_that_was_found_is_not_hidden_by_what_could_not_be_read(
    fleet: list[str], tmp_path: Path
) -> None:
    leak = str(_csv(tmp_path / "leak.csv", 20_000, seconds=3600))
    assert _analyze(leak, fleet[1]).exit_code == 1
    assert _analyze(*fleet, leak).exit_code == 1


def test_a_wrong_budget_is_one_error_and_not_one_per_run(fleet: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "analyze", *fleet, "--max-growth", "much"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("soak: --max-growth much: write a size")
    assert done.stderr.count("\n") == 1


def test_ctrl_c_ends_at_once_with_130_and_leaves_nothing_running(tmp_path: Path) -> None:
    quick, endless = _csv(tmp_path / "quick.csv"), tmp_path / "endless.csv"
    os.mkfifo(endless)  # whoever reads it waits
    paths = [quick, *[endless] * WORTH_A_POOL]
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "analyze", *map(str, paths), "--jobs", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert "verdict" in process.stdout.readline()
        assert "quick.csv" in process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers hear it, too
        _, complaints = process.communicate(timeout=60)  # ends when the last of them has let go of the pipe
    assert process.returncode == 130
    assert "Traceback" not in complaints

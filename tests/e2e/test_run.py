"""`soak run` against the bundled server: real processes, real sockets, real audio."""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import Finished

    Soak = Callable[..., Finished]
    Start = Callable[..., subprocess.Popen[str]]

QUICK = [
    *("--set", "load.settle_s=0.3", "--set", "load.rest_s=1", "--set", "load.block_s=1"),
    *("--set", "load.baseline_s=0.5", "--set", "load.rate_per_s=12", "--set", "load.max_open=4"),
    *("--set", "server.sweep_interval_s=0", "--set", "sample.interval_s=0.2"),
    *("--set", "sample.metrics_interval_s=0.5", "--set", "judge.min_duration_s=15"),
]
"""The same road as a long run, with short waits."""
GROUPS = ["--set", "load.max_open=8"]
CONTRACT = {
    "schema_version",
    "verdict",
    "reasons",
    "metric",
    "start_bytes",
    "plateau_bytes",
    "peak_bytes",
    "plateau_at_s",
    "growth_bytes_per_hour",
    "growth_bytes_per_connection",
    "minimum_detectable_bytes_per_hour",
    "restarts",
    "attribution",
    "advice",
}


def _only_run(folder: Path) -> Path:
    (path,) = (folder / "reports").iterdir()
    return path


def _events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / "events.jsonl").read_text().splitlines()]


def _event(path: Path, name: str) -> dict[str, Any]:
    return next(event for event in _events(path) if event["event"] == name)


def _wait_for_samples(folder: Path, connections: int, timeout_s: float = 60.0) -> Path:
    """Wait until a running soak has recorded so many completed connections; return its directory."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        for samples in (folder / "reports").glob("*/samples.csv"):
            cells = samples.read_text().splitlines()[-1].split(",")
            if cells[0] != "t_s" and int(cells[2] or 0) >= connections:
                return samples.parent
        time.sleep(0.05)
    raise AssertionError(f"no run with {connections} connections within {timeout_s} s")


def _gone(pid: int) -> bool:
    try:
        psutil.Process(pid).wait(timeout=20)
    except psutil.NoSuchProcess:
        return True
    return not psutil.pid_exists(pid)


def test_a_run_ends_in_a_verdict_a_report_and_a_whole_directory(soak: Soak, tmp_path: Path) -> None:
    done = soak("run", "--connections", "60", "--json", *QUICK)
    assert done.status in (0, 3), done.err
    verdict = json.loads(done.out)
    assert verdict.keys() >= CONTRACT
    assert verdict["verdict"] in ("plateau", "inconclusive")
    path = _only_run(tmp_path)
    assert path.name.endswith("Z-minimal")
    files = {file.name for file in path.iterdir()}
    assert files == {
        "manifest.json",
        "samples.csv",
        "events.jsonl",
        "verdict.json",
        "report.html",
        "memory.png",
        "server.log",
    }
    assert json.loads((path / "verdict.json").read_text())["verdict"] == verdict["verdict"]
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["configuration"]["server"]["decoder_thread_num"] == 1
    assert manifest["target"]["kind"] == "bundled"
    rows = [line.split(",") for line in (path / "samples.csv").read_text().splitlines()]
    assert rows[0][:4] == ["t_s", "rss_bytes", "connections_completed", "open_connections"]
    assert rows[-1][2] == "60"
    assert {"baseline", "load", "rest"} <= {row[4] for row in rows[1:]}
    phases = [event["phase"] for event in _events(path) if event["event"] == "phase"]
    assert phases[:5] == ["baseline", "load", "drain", "settle", "rest"]
    assert phases[-1] == "done"
    assert _gone(_event(path, "server_started")["pid"])
    assert "Report: " in done.err
    assert max(len(line) for line in done.err.splitlines() if "Report:" not in line and "|" not in line) <= 80


def test_a_server_that_keeps_memory_per_connection_is_climbing(soak: Soak) -> None:
    done = soak("run", "--connections", "160", "--json", *QUICK, "--set", 'server.inject=["session:1MiB"]')
    assert done.status == 1, done.err
    verdict = json.loads(done.out)
    assert verdict["verdict"] == "climbing"
    assert verdict["growth_bytes_per_connection"]["estimate"] == pytest.approx(2**20, rel=0.25)


def test_a_harness_ended_by_sigkill_leaves_no_server_and_a_record_to_judge(
    soak: Soak, soak_in_background: Start, tmp_path: Path
) -> None:
    process = soak_in_background("run", "--connections", "100000", *QUICK)
    path = _wait_for_samples(tmp_path, connections=30)
    process.kill()
    process.wait()
    assert _gone(_event(path, "server_started")["pid"])
    _, first_recorded, *_, last_recorded = (path / "samples.csv").read_text().splitlines()
    assert int(last_recorded.split(",")[2]) >= 30
    analyzed = soak("analyze", str(path), "--json")
    assert analyzed.status in (0, 3)
    verdict = json.loads(analyzed.out)
    assert verdict["source"] == str(path)
    first_s, last_s = (float(line.split(",")[0]) for line in (first_recorded, last_recorded))
    assert verdict["duration_s"] == pytest.approx(last_s - first_s, abs=2.0)
    assert any("no end" in reason for reason in verdict["reasons"])
    assert not (path / "report.html").exists()
    assert soak("report", str(path)).status == 0
    assert (path / "report.html").stat().st_size > 100_000
    assert (path / "memory.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_still_ends_in_verdict_and_report(
    soak_in_background: Start, tmp_path: Path, number: signal.Signals
) -> None:
    process = soak_in_background("run", "--connections", "100000", *QUICK)
    path = _wait_for_samples(tmp_path, connections=10)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "INCONCLUSIVE" in out
    assert (path / "report.html").is_file()
    assert (path / "verdict.json").is_file()
    assert _event(path, "run_ended")["reason"] == "interrupted"
    assert _gone(_event(path, "server_started")["pid"])


def test_a_server_that_dies_is_told_apart_from_one_that_grows(
    soak_in_background: Start, tmp_path: Path
) -> None:
    process = soak_in_background("run", "--connections", "100000", *QUICK)
    path = _wait_for_samples(tmp_path, connections=10)
    os.kill(_event(path, "server_started")["pid"], signal.SIGSEGV)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 4, err
    assert "SIGSEGV" in out
    assert "listening on" in out  # the end of the server's log
    assert (path / "report.html").is_file()
    assert _event(path, "server_exited")["return_code"] == -signal.SIGSEGV


def test_a_disk_without_space_ends_in_one_line_and_keeps_what_was_recorded(
    soak: Soak, soak_in_background: Start, tmp_path: Path
) -> None:
    process = soak_in_background("run", "--connections", "100000", *QUICK)
    path = _wait_for_samples(tmp_path, connections=10)
    server = _event(path, "server_started")["pid"]
    files = [path / "samples.csv", path / "events.jsonl"]  # both grow; either may be the first to hit the end
    limit = max(file.stat().st_size for file in files) + 500
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, limit))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    (complaint,) = [line for line in err.splitlines() if line.startswith("soak: ")]
    assert any(str(file.relative_to(tmp_path)) in complaint for file in files)
    assert "Traceback" not in err
    assert _gone(server)
    assert soak("analyze", str(path)).status in (0, 3)


def test_several_configurations_end_in_one_comparison(soak: Soak, tmp_path: Path) -> None:
    configs = ["-c", "minimal", "-c", "medium", "--connections", "24", "--out", "runs"]
    done = soak("run", *configs, *QUICK, *GROUPS)
    assert done.status in (0, 3), done.err
    (comparison,) = (tmp_path / "runs").glob("*-comparison")
    assert (comparison / "comparison.html").is_file()
    assert (comparison / "comparison.png").is_file()
    assert "minimal" in done.out
    assert "2.1 GB" in done.out  # published for medium

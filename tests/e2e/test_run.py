"""`soak run` against the bundled server: real processes, real sockets, real audio."""

from __future__ import annotations

import json
import os
import resource
import signal
from typing import TYPE_CHECKING

import pytest

from tests.e2e.rundirs import QUICK, event, events, gone, wait_for_samples

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Run, Soak, Start

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


def test_a_run_ends_in_a_verdict_a_report_and_a_whole_directory(healthy_run: Run) -> None:
    done, path = healthy_run.done, healthy_run.path
    assert done.status in (0, 3), done.err
    verdict = json.loads(done.out)
    assert verdict.keys() >= CONTRACT
    assert verdict["verdict"] in ("plateau", "inconclusive")
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
    assert {"reference_server", "debug_pages", "may_be_restarted"} <= set(manifest["target"]["capabilities"])
    rows = [line.split(",") for line in (path / "samples.csv").read_text().splitlines()]
    assert rows[0][:4] == ["t_s", "rss_bytes", "connections_completed", "open_connections"]
    assert rows[-1][2] == "60"
    assert {"baseline", "load", "rest"} <= {row[4] for row in rows[1:]}
    phases = [each["phase"] for each in events(path) if each["event"] == "phase"]
    assert phases[:5] == ["baseline", "load", "drain", "settle", "rest"]
    assert phases[-1] == "done"
    assert gone(event(path, "server_started")["pid"])
    assert "Report: " in done.err
    assert max(len(line) for line in done.err.splitlines() if "Report:" not in line and "|" not in line) <= 80


def test_a_server_that_keeps_memory_per_connection_is_climbing(leaking_run: Run) -> None:
    assert leaking_run.done.status == 1, leaking_run.done.err
    verdict = json.loads(leaking_run.done.out)
    assert verdict["verdict"] == "climbing"
    # of heap in use, which decides: the run ends before RSS is as sure
    assert verdict["heap"]["growth_bytes_per_connection"]["estimate"] == pytest.approx(2**20, rel=0.25)


def test_a_harness_ended_by_sigkill_leaves_no_server_and_a_record_to_judge(
    soak: Soak, soak_in_background: Start, tmp_path: Path
) -> None:
    process = soak_in_background("run", "--connections", "100000", *QUICK)
    path = wait_for_samples(tmp_path, connections=30)
    process.kill()
    process.wait()
    assert gone(event(path, "server_started")["pid"])
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
    path = wait_for_samples(tmp_path, connections=10)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "INCONCLUSIVE" in out or "PLATEAU" in out
    assert (path / "report.html").is_file()
    assert (path / "verdict.json").is_file()
    assert event(path, "run_ended")["reason"] == "interrupted"
    assert gone(event(path, "server_started")["pid"])


def test_a_server_that_dies_is_told_apart_from_one_that_grows(
    soak_in_background: Start, tmp_path: Path
) -> None:
    process = soak_in_background("run", "--connections", "100000", *QUICK)
    path = wait_for_samples(tmp_path, connections=10)
    os.kill(event(path, "server_started")["pid"], signal.SIGSEGV)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 4, err
    assert "SIGSEGV" in out
    assert "listening on" in out  # the end of the server's log
    assert (path / "report.html").is_file()
    assert event(path, "server_exited")["return_code"] == -signal.SIGSEGV


def test_a_disk_without_space_ends_in_one_line_and_keeps_what_was_recorded(
    soak: Soak, soak_in_background: Start, tmp_path: Path
) -> None:
    process = soak_in_background("run", "--connections", "100000", *QUICK)
    path = wait_for_samples(tmp_path, connections=10)
    server = event(path, "server_started")["pid"]
    files = [path / "samples.csv", path / "events.jsonl"]  # both grow; either may be the first to hit the end
    limit = max(file.stat().st_size for file in files) + 500
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, limit))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    (complaint,) = [line for line in err.splitlines() if line.startswith("soak: ")]
    assert any(str(file.relative_to(tmp_path)) in complaint for file in files)
    assert "Traceback" not in err
    assert gone(server)
    assert soak("analyze", str(path)).status in (0, 3)

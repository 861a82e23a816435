"""`soak run --until-decided`: it ends when it is decided, at the latest at its maximum."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

from tests.e2e.test_run import QUICK, _event, _events, _gone, _only_run, _wait_for_samples

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.test_run import Soak, Start

SHORT_BLOCKS = [
    *QUICK,
    *("--set", "load.rate_per_s=24", "--set", "load.settle_s=0.2", "--set", "load.rest_s=0.6"),
    *("--set", "judge.min_duration_s=8"),
]


def test_a_leak_ends_the_run_early_and_is_found_again_in_its_record(soak: Soak, tmp_path: Path) -> None:
    leak = ["--set", 'server.inject=["session:1MiB"]']
    done = soak("run", "--until-decided", "--max-minutes", "5", "--json", *SHORT_BLOCKS, *leak)
    assert done.status == 1, done.err
    verdict = json.loads(done.out)
    assert verdict["verdict"] == "climbing"
    assert any("stopped early" in reason for reason in verdict["reasons"])
    path = _only_run(tmp_path)
    assert done.err.count("minimal: memory is climbing since") == 1
    assert _event(path, "verdict")["verdict"] == "climbing"
    assert _event(path, "final_look")["stopped_early"]
    phases = [event["phase"] for event in _events(path) if event["event"] == "phase"]
    assert phases[-5:] == ["load", "drain", "settle", "rest", "done"]  # ended in good order
    assert _event(path, "load_ended")["reason"] == "finished"
    again = soak("analyze", str(path), "--json")
    assert again.status == 1
    assert json.loads(again.out) | {"source": None} == verdict | {"source": None}


def test_undecided_at_its_maximum_it_is_inconclusive(soak: Soak, tmp_path: Path) -> None:
    longer = ["--set", "judge.min_duration_s=3600"]
    done = soak("run", "--until-decided", "--max-minutes", "0.1", "--json", *SHORT_BLOCKS, *longer)
    assert done.status == 3, done.err
    verdict = json.loads(done.out)
    assert any("went on to its end" in reason for reason in verdict["reasons"])
    assert not _event(_only_run(tmp_path), "final_look")["stopped_early"]


def test_it_can_be_interrupted_like_any_run(soak_in_background: Start, tmp_path: Path) -> None:
    process = soak_in_background("run", "--until-decided", *SHORT_BLOCKS)
    path = _wait_for_samples(tmp_path, connections=10)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert (path / "verdict.json").is_file()
    assert (path / "report.html").is_file()
    assert "final_look" not in {event["event"] for event in _events(path)}
    assert _gone(_event(path, "server_started")["pid"])
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["configuration"]["load"]["until_decided"]
    assert manifest["configuration"]["load"]["duration_s"] == 3600

"""`soak run --until-decided`: it ends when it is decided, at the latest at its maximum."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

from tests.e2e.rundirs import SHORT_BLOCKS, event, events, gone, wait_for_samples

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Run, Soak, Start


def test_a_leak_ends_the_run_early_and_is_found_again_in_its_record(leaking_run: Run, soak: Soak) -> None:
    done, path = leaking_run.done, leaking_run.path
    assert done.status == 1, done.err
    verdict = json.loads(done.out)
    assert verdict["verdict"] == "climbing"
    assert any("stopped early" in reason for reason in verdict["reasons"])
    assert done.err.count("minimal: memory is climbing since") == 1
    assert event(path, "verdict")["verdict"] == "climbing"
    assert event(path, "final_look")["stopped_early"]
    phases = [each["phase"] for each in events(path) if each["event"] == "phase"]
    assert phases[-5:] == ["load", "drain", "settle", "rest", "done"]  # ended in good order
    assert event(path, "load_ended")["reason"] == "finished"
    again = soak("analyze", str(path), "--json")
    assert again.status == 1
    assert json.loads(again.out) | {"source": None} == verdict | {"source": None}


def test_undecided_at_its_maximum_it_is_inconclusive(undecided_run: Run) -> None:
    verdict = json.loads((undecided_run.path / "verdict.json").read_text())
    assert verdict["verdict"] == "inconclusive"
    assert any("went on to its end" in reason for reason in verdict["reasons"])
    assert not event(undecided_run.path, "final_look")["stopped_early"]


def test_it_can_be_interrupted_like_any_run(soak_in_background: Start, tmp_path: Path) -> None:
    process = soak_in_background("run", "--until-decided", *SHORT_BLOCKS)
    path = wait_for_samples(tmp_path, connections=10)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert (path / "verdict.json").is_file()
    assert (path / "report.html").is_file()
    assert "final_look" not in {each["event"] for each in events(path)}
    assert gone(event(path, "server_started")["pid"])
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["configuration"]["load"]["until_decided"]
    assert manifest["configuration"]["load"]["duration_s"] == 3600

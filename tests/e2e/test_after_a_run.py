"""What follows from runs: attribution and probes, advice, experiments, verified limits."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest
import yaml

from soak.errors import SoakError
from soak.targets.memory_cgroup import OwnCgroup
from tests.e2e.rundirs import QUICK, event, events, only_run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Run, Soak

FEW = [*QUICK, "--connections", "24"]


def _cgroups_can_be_made() -> bool:
    try:
        with OwnCgroup.create("test", None):
            return True
    except SoakError:
        return False


def test_a_run_says_where_its_memory_is_and_advice_follows(
    healthy_run: Run, soak: Soak, tmp_path: Path
) -> None:
    path = healthy_run.path
    attribution = json.loads((path / "verdict.json").read_text())["attribution"]
    assert 0.98 <= attribution["sum_over_rss"] <= 1.02
    assert attribution["accounted_share"] >= 0.95
    assert {each["memory_class"] for each in attribution["classes"]} >= {"heap", "arenas", "libraries"}
    assert attribution["inside"]["python_types"]
    assert [probe["probe"] for probe in attribution["probes"]] == ["gc", "trim"]  # it has no arena
    names = [each["event"] for each in events(path)]
    assert names.index("run_ended") < names.index("probe")
    assert "Asked after the load to give memory back" in " ".join(healthy_run.done.err.split())

    again = soak("analyze", str(path), "--json")
    assert json.loads(again.out)["attribution"] == attribution

    advised = soak("advise", str(path), "--prometheus", "rules.yml", "--limit", "1GiB", "--json")
    assert advised.status == 0, advised.err
    advice = json.loads(advised.out)
    assert advice["limit_bytes"] == 1 << 30
    assert advice["capacity"][-1]["open_connections"] >= 1
    assert "docker run --memory=" in advised.err
    assert len(yaml.safe_load((tmp_path / "rules.yml").read_text())["groups"]) == 2


def test_a_server_that_a_probe_ends_fails_the_run(soak: Soak, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if 'asr_server' in sys.orig_argv:\n"
        "    from asr_server import introspection\n"
        "    introspection.trim_heap = os.abort\n"
    )
    environment = f'server.environment={{PYTHONPATH="{tmp_path}"}}'
    done = soak("run", *QUICK, "--connections", "12", "--set", environment)
    assert done.status == 4, done.err
    assert "right after the probe trim" in done.out
    path = only_run(tmp_path)
    assert event(path, "run_ended")["reason"] == "finished"
    assert event(path, "server_exited")["return_code"] == -signal.SIGABRT


def test_an_experiment_compares_and_can_be_reported_again(soak: Soak, tmp_path: Path) -> None:
    done = soak(
        "experiment", "--config", "minimal", "--mitigation", "arenas-1", "--repeats", "1", *FEW, "--json"
    )
    assert done.status == 0, done.err
    found = json.loads(done.out)
    assert found["complete"]
    assert [row["name"] for row in found["rows"]] == ["baseline", "arenas-1"]
    assert found["rows"][1]["level_bytes"]["estimate"] > 50e6
    assert found["rows"][1]["cpu_ratio"]["low"] is None
    folder = only_run(tmp_path)
    page = folder / "experiment.html"
    page.unlink()
    again = soak("experiment", "--report", str(folder))
    assert again.status == 0, again.err
    assert page.is_file()
    assert "repeat them" in again.out
    assert event(next(folder.glob("*arenas-1-1")), "run_ended")["reason"] == "finished"


@pytest.mark.skipif(not _cgroups_can_be_made(), reason="no memory cgroup may be made here")
def test_a_limit_is_verified_and_too_little_kills(soak: Soak, tmp_path: Path) -> None:
    done = soak("verify-limit", "--config", "minimal", *FEW, "--limit", "600MiB", "--json")
    assert done.status in (0, 3), done.err
    found = json.loads(done.out)
    # a machine that became slower meanwhile gets one more run without a limit: "again"
    runs = {run["name"]: run for run in found["runs"]}
    unlimited, advised, too_little = (runs[name] for name in ("unlimited", "advised", "too-little"))
    assert (unlimited["completed"], advised["completed"]) == (24, 24)
    assert advised["limit_bytes"] == 600 * 2**20
    assert too_little["limit_bytes"] < unlimited["peak_bytes"]
    assert too_little["fate"] != "failed"
    assert "The limit of 600 MiB" in done.err
    (folder,) = (tmp_path / "reports").iterdir()
    assert (folder / "limit.md").is_file()

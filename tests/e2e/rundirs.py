"""Run directories as the tests read them, and the settings that make runs short."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from pathlib import Path

QUICK = [
    *("--set", "load.settle_s=0.3", "--set", "load.rest_s=1", "--set", "load.block_s=1"),
    *("--set", "load.baseline_s=0.5", "--set", "load.rate_per_s=12", "--set", "load.max_open=4"),
    *("--set", "server.sweep_interval_s=0", "--set", "sample.interval_s=0.2"),
    *("--set", "sample.metrics_interval_s=0.5"),
]
"""The same road as a long run, with short waits."""
SHORT_BLOCKS = [
    *QUICK,
    *("--set", "load.rate_per_s=24", "--set", "load.settle_s=0.2", "--set", "load.rest_s=0.6"),
]
"""For runs until decided: as many rest windows as fit."""


def only_run(folder: Path) -> Path:
    """The one run directory below `folder`/reports."""
    (path,) = (folder / "reports").iterdir()
    return path


def events(path: Path) -> list[dict[str, Any]]:
    """What the run recorded, in order."""
    return [json.loads(line) for line in (path / "events.jsonl").read_text().splitlines()]


def event(path: Path, name: str) -> dict[str, Any]:
    """The run's first event of this name."""
    return next(each for each in events(path) if each["event"] == name)


def wait_for_samples(folder: Path, connections: int, timeout_s: float = 60.0) -> Path:
    """Wait until a running soak has recorded so many completed connections; return its directory."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        for samples in (folder / "reports").glob("*/samples.csv"):
            cells = samples.read_text().splitlines()[-1].split(",")
            if cells[0] != "t_s" and int(cells[2] or 0) >= connections:
                return samples.parent
        time.sleep(0.05)
    raise AssertionError(f"no run with {connections} connections within {timeout_s} s")


def gone(pid: int) -> bool:
    """Whether the process ends within 20 s."""
    try:
        psutil.Process(pid).wait(timeout=20)
    except psutil.NoSuchProcess:
        return True
    return not psutil.pid_exists(pid)

"""Kills and signals at moments that nobody chose: the seed says what is sent to whom, how often, and when."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.e2e.rundirs import QUICK

COMMAND = str(Path(sys.executable).with_name("soak"))
ARGUMENTS = ("run", "--connections", "2000", *QUICK)
"""A run that does not end by itself within the test."""
ENDS_WITHIN_S = 150.0


@dataclass(frozen=True)
class Blow:
    """What is done to a run."""

    whom: str
    """`soak`, `driver` or `server`."""
    number: signal.Signals
    times: int
    """In quick succession."""
    after_samples: int | None
    """Done when so many samples are recorded; None: so soon that there may be no run yet."""
    delay_s: float


@dataclass(frozen=True)
class Struck:
    """What was left."""

    status: int
    err: str
    run: Path | None
    """The run directory; None where it was not even made."""
    rows_before: int
    """Whole rows that were on the disk before the blow."""


def blow_of(seed: int) -> Blow:
    """Return what this seed does: the first ten are one of each, so that few of them say much."""
    chance = random.Random(seed)
    kinds = (
        ("soak", signal.SIGINT, 8),
        ("driver", signal.SIGKILL, 1),
        ("soak", signal.SIGHUP, 1),
        ("soak", signal.SIGKILL, 1),
        ("soak", signal.SIGINT, 1),
        ("soak", signal.SIGINT, 2),
        ("soak", signal.SIGTERM, 3),
        ("server", signal.SIGKILL, 1),
        ("server", signal.SIGSTOP, 1),
        ("soak", signal.SIGHUP, 5),
    )
    whom, number, times = kinds[seed % len(kinds)]
    if number is signal.SIGSTOP:  # a server that hangs, and then somebody loses patience
        whom, number, times = "server", signal.SIGABRT, 1
    early = seed >= len(kinds) and whom == "soak" and chance.random() < 0.3
    after = None if early else chance.randint(3, 40)
    return Blow(whom, number, times, after, chance.random() * (1.5 if early else 0.3))


def _hears_a_hangup() -> None:
    """Undo what nohup does: whoever runs the tests under it has soak ignore the signal, as it should."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def strike(folder: Path, blow: Blow) -> Struck:
    """Start a run in `folder`, deal the blow, and wait for the end."""
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    process = subprocess.Popen(
        [COMMAND, *ARGUMENTS],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_hears_a_hangup,  # noqa: PLW1509 - one line, in a process without threads
    )
    rows = 0
    try:
        if blow.after_samples is not None:
            rows = _wait_for_rows(folder, blow.after_samples)
        time.sleep(blow.delay_s)
        pid = process.pid if blow.whom == "soak" else _child(process.pid, blow.whom)
        for _ in range(blow.times):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, blow.number)
            time.sleep(0.05)
        _, err = process.communicate(timeout=ENDS_WITHIN_S)
    finally:
        process.kill()
        process.communicate()
    run = next(iter((folder / "reports").glob("*")), None)
    return Struck(process.returncode, err, run, rows)


def events_of(run: Path) -> list[str]:
    """Return the names of the events that were recorded whole."""
    found = []
    for line in (run / "events.jsonl").read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line)["event"])
    return found


def pid_of_the_server(run: Path) -> int | None:
    """Return the process of the server that was started; None where it was not."""
    for line in (run / "events.jsonl").read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(ValueError):
            event = json.loads(line)
            if event["event"] == "server_started":
                return int(event["pid"])
    return None


def rows_of(run: Path) -> int:
    """Return how many whole rows were recorded."""
    text = (run / "samples.csv").read_text(encoding="utf-8")
    return max(text.count("\n") - 1, 0)


def _wait_for_rows(folder: Path, count: int) -> int:
    ends_s = time.monotonic() + ENDS_WITHIN_S
    while time.monotonic() < ends_s:
        for samples in (folder / "reports").glob("*/samples.csv"):
            rows = rows_of(samples.parent)
            if rows >= count:
                return rows
        time.sleep(0.05)
    raise AssertionError(f"no run with {count} rows within {ENDS_WITHIN_S:g} s")


def _child(pid: int, whom: str) -> int:
    """Return the process of the load driver or of the server below `pid`."""
    module = {"driver": "soak.load", "server": "asr_server"}[whom]
    for child in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if module in child.cmdline() and "soak.tether" not in child.cmdline():
                return child.pid
    raise AssertionError(f"there is no {whom}")

"""The soak of a test: `soak check` in a process of its own, which is what ends it in time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from soak.errors import ExitCode
from soak.pytest_plugin.chart import memory_chart
from soak.studies.check.findings import SIGNS, Outcome
from soak.studies.check.rhythm import RHYTHM
from soak.targets.child import tail

if TYPE_CHECKING:
    from soak.pytest_plugin.options import SoakOptions
    from soak.pytest_plugin.servers import SoakServer

REPORT_TIMEOUT_S = 60.0
"""For the verdict and the report of a soak that was stopped for its time."""
LOG_LINES = 10
NAME_WIDTH = 20
TEXT_WIDTH = 96


@dataclass(frozen=True)
class Soaked:
    """What a soak came to."""

    headline: str
    failure: str | None
    """Why the test fails, for a person; None when it passes."""


def soak_server_of(server: SoakServer, options: SoakOptions, out: Path) -> Soaked:
    """Soak `server` as `options` ask, with the run directory under `out`."""
    command = [sys.executable, "-m", "soak", "check", "--json", "--url", server.url, "--pid", str(server.pid)]
    settings = [*options.settings]
    if options.command is None:
        settings = [*RHYTHM, "sample.probe=server", *settings]
        command += ["--config", options.config or "minimal"]
    elif options.config is not None:
        command += ["--config", options.config]
    command += ["--out", str(out), *options.length(), *options.limits()]
    for setting in settings:
        command += ["--set", setting]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")},
    )
    try:
        said, complaints = process.communicate(timeout=options.timeout_s)
    except subprocess.TimeoutExpired:
        _interrupt(process)
        what = f"the soak took longer than timeout_s={options.timeout_s:g}"
        return Soaked("time-out", f"soak: {what}; what it recorded is under {out}")
    except BaseException:
        _interrupt(process)
        raise
    if not said:
        last = next((line for line in reversed(complaints.splitlines()) if line.strip()), "it said nothing")
        if process.returncode == ExitCode.USAGE:
            raise pytest.UsageError(last)
        return Soaked("the soak broke down", f"soak: {last}")
    result = json.loads(said)
    headline = str(result["headline"])
    if result["exit_code"] == ExitCode.PLATEAU:
        return Soaked(headline, None)
    return Soaked(headline, failure_text(result, server.log))


def failure_text(result: dict[str, Any], log: Path) -> str:
    """Return `check.json` for a person: what failed, the course of memory, where the report is."""
    lines = [f"soak: {result['headline']}", ""]
    for finding in result["findings"]:
        line = f"{SIGNS[Outcome(finding['outcome'])]} {finding['name']:{NAME_WIDTH}} {finding['message']}"
        lines += textwrap.wrap(line, TEXT_WIDTH, subsequent_indent=" " * (NAME_WIDTH + 3))
    run = Path(result["run"])
    chart = memory_chart(run / "samples.csv")
    if chart:
        lines += ["", chart]
    last = tail(log)[-LOG_LINES:]
    if result["exit_code"] == ExitCode.TARGET_FAILED and last:
        lines += ["", "Last lines of the server's log:", *last]
    return "\n".join([*lines, "", f"Report: {run / 'report.html'}"])


def _interrupt(process: subprocess.Popen[str]) -> None:
    """Let it write what it has, as Ctrl-C would."""
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=REPORT_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

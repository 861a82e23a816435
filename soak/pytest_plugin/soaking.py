"""The soak of a test, in a process of its own (`soak_process` says why), and what it came to in words."""

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
from soak.pytest_plugin.request import Request
from soak.studies.check.findings import SIGNS, Outcome
from soak.targets.child import tail

if TYPE_CHECKING:
    from soak.pytest_plugin.options import SoakOptions
    from soak.pytest_plugin.servers import SoakServer

PROCESS = "soak.pytest_plugin.soak_process"
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


def soak_server_of(server: SoakServer, options: SoakOptions, out: Path, test: str) -> Soaked:
    """Soak `server` as `options` of the test with the node id `test` ask, with the run directory under `out`.

    When it takes longer than `timeout_s`, its load is ended, and its verdict and report are written.
    """
    request = Request(test, options, server.url, server.pid, str(out))
    process = subprocess.Popen(
        [sys.executable, "-m", PROCESS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,  # Ctrl-C is for the test session, which then ends this one in good order
    )
    try:
        said, complaints = process.communicate(request.to_json(), timeout=options.timeout_s)
    except subprocess.TimeoutExpired:
        said = _interrupt(process)
        what = f"the soak took longer than timeout_s={options.timeout_s:g}"
        if not said:
            return Soaked("time-out", f"soak: {what}; what it recorded is under {out}")
        return Soaked("time-out", failure_text({**json.loads(said), "headline": what}, server.log))
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


def _interrupt(process: subprocess.Popen[str]) -> str:
    """Let it write what it has, as Ctrl-C would; return the result that it then prints, if it does."""
    process.send_signal(signal.SIGINT)
    try:
        said, _ = process.communicate(timeout=REPORT_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
    return said

"""A server that means harm fails, or is judged; soak neither hangs nor repeats what steers."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from junitparser import JUnitXml

from soak.foreign_text import visible
from tests.attack.harness.hostile_server import MODES
from tests.seeds import nightly

SERVER = Path(__file__).with_name("hostile_server.py")
COMMAND = str(Path(sys.executable).with_name("soak"))
ALWAYS = ("drips metrics", "evil error", "metrics without measure")
NEVER_ANSWER = (
    "says nothing",
    "hangs up",
    "is no HTTP",
    "drips its handshake",
    "evil error",
    "partials without end",
)
SHORT = (
    *("--connections", "4", "--set", "load.ready_timeout_s=8", "--set", "load.settle_s=0.2"),
    *("--set", "load.rest_s=0.5", "--set", "load.baseline_s=0.2", "--set", "load.rate_per_s=4"),
    *("--set", "load.connect_timeout_s=3", "--set", "load.result_timeout_s=3"),
    *(
        "--set",
        "load.close_timeout_s=1",
        "--set",
        "sample.metrics_interval_s=0.5",
        "--set",
        "sample.probe=server",
    ),
)
modes = pytest.mark.parametrize("mode", [each if each in ALWAYS else nightly(each) for each in MODES])


@modes
def test_a_hostile_server(tmp_path: Path, mode: str) -> None:
    server = f"{shlex.quote(sys.executable)} {shlex.quote(str(SERVER))} {shlex.quote(mode)} {{port}}"
    files = ("--junit", "j.xml", "--markdown", "m.md", "--archive", "a.zip")
    done = subprocess.run(
        [COMMAND, "check", "--command", server, *SHORT, *files],
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "60", "NO_COLOR": "1", "GITHUB_ACTIONS": ""},
        capture_output=True,
        timeout=150,
        check=False,
    )
    said = (done.stdout + done.stderr).decode()
    assert done.returncode in ({4} if mode in NEVER_ANSWER else {0, 1, 3, 4}), said
    assert "Traceback" not in said
    assert visible(said) == said
    assert not re.search(r"^\s*::|##\[", said, re.MULTILINE)
    (run,) = (tmp_path / "reports").iterdir()
    verdict = json.loads((run / "verdict.json").read_text())
    if mode in NEVER_ANSWER:
        assert verdict["verdict"] == "inconclusive"
        assert "No answer" in verdict["reasons"][0]
    markdown = (tmp_path / "m.md").read_text()
    assert visible(markdown) == markdown
    assert not re.search(r"(?<!\\)!\[|<script|<img", markdown)
    JUnitXml.fromfile(str(tmp_path / "j.xml"))
    assert "\x1b" not in (run / "report.html").read_text()

"""`soak check` on the bundled server: what CI gets to see."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from junitparser import JUnitXml

from tests.e2e.conftest import COMMAND
from tests.e2e.rundirs import SHORT_BLOCKS

if TYPE_CHECKING:
    import pytest

    from tests.e2e.conftest import Run, Soak


def test_a_leak_is_found_with_the_evidence_attached(leaking_run: Run, soak: Soak, tmp_path: Path) -> None:
    shutil.copytree(leaking_run.path, tmp_path / "leaking")
    done = soak(
        *("check", "leaking", "--json", "--junit", "out/soak.xml", "--markdown", "out/soak.md"),
        *("--archive", "out/run.zip", "--metrics", "out/metrics.txt"),
        GITHUB_ACTIONS="true",
        GITHUB_STEP_SUMMARY=str(tmp_path / "step.md"),
    )
    assert done.status == 1, done.err
    result = json.loads(done.out)
    assert result["verdict"] == "climbing"
    (suite,) = JUnitXml.fromfile(str(tmp_path / "out" / "soak.xml"))
    assert suite.failures == 1
    assert (tmp_path / "step.md").read_text() == (tmp_path / "out" / "soak.md").read_text()
    assert "::error title=soak%3A verdict::climbing" in done.err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "soak.xml",
        "soak.md",
        "run.zip",
        "metrics.txt",
    }


def test_undecided_in_the_time_given_is_no_pass_unless_allowed(
    undecided_run: Run, soak: Soak, tmp_path: Path
) -> None:
    done, path = undecided_run.done, undecided_run.path
    assert done.status == 3, done.err
    assert "undecided: verdict" in done.err.splitlines()[-1]
    assert json.loads((path / "check.json").read_text()) == json.loads(done.out)
    shutil.copytree(path, tmp_path / "undecided")
    allowed = soak("check", "undecided", "--allow-inconclusive", "--max-rss", "10MiB")
    assert allowed.status == 1
    assert allowed.out.splitlines()[-1] == "failed: max-rss"


def test_a_server_that_does_not_come_up_is_told_where_ci_looks(soak: Soak, tmp_path: Path) -> None:
    done = soak(
        *("check", "--junit", "out/soak.xml", "--set", 'server.environment={PYTHONHOME="/none"}'),
        GITHUB_ACTIONS="true",
        GITHUB_STEP_SUMMARY=str(tmp_path / "step.md"),
    )
    assert done.status == 4, done.err
    (suite,) = JUnitXml.fromfile(str(tmp_path / "out" / "soak.xml"))
    assert suite.errors == 1
    assert "the server failed" in (tmp_path / "step.md").read_text()
    assert "::error title=soak check::the server did not listen" in done.err


def test_the_github_action_checks_keeps_evidence_and_saves_a_baseline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Path(__file__).parents[2] / ".github" / "actions" / "soak-check" / "check.sh"
    output = tmp_path / "output"
    settings = [*SHORT_BLOCKS[1::2], "judge.max_growth_bytes_per_hour=5e10"]
    environment = {
        "PATH": f"{Path(COMMAND).parent}:{os.environ['PATH']}",
        "GITHUB_OUTPUT": str(output),
        "SOAK_CONFIG": "minimal",
        "SOAK_MAX_MINUTES": "2",
        "SOAK_MAX_RSS": "1GiB",
        "SOAK_SETTINGS": "\n".join(settings),
        "SOAK_SAVE_BASELINE": "kept.json",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done = subprocess.run(
        ["/bin/bash", str(script)], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert output.read_text() == "exit-code=0\n"
    assert {path.name for path in (tmp_path / "soak-check").iterdir()} == {"soak.xml", "soak.md", "run.zip"}
    assert len(json.loads((tmp_path / "kept.json").read_text())["runs"]) == 1

"""`soak check` on the bundled server: what CI gets to see."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from junitparser import JUnitXml

from tests.e2e.conftest import COMMAND
from tests.e2e.test_until_decided import SHORT_BLOCKS

if TYPE_CHECKING:
    import pytest

    from tests.e2e.test_run import Soak


def test_a_leak_is_stopped_with_the_evidence_attached(soak: Soak, tmp_path: Path) -> None:
    done = soak(
        *(
            "check",
            "--json",
            "--junit",
            "out/soak.xml",
            "--markdown",
            "out/soak.md",
            "--archive",
            "out/run.zip",
        ),
        *("--metrics", "out/metrics.txt", *SHORT_BLOCKS, "--set", 'server.inject=["session:1MiB"]'),
        GITHUB_ACTIONS="true",
        GITHUB_STEP_SUMMARY=str(tmp_path / "step.md"),
    )
    assert done.status == 1, done.err
    result = json.loads(done.out)
    assert result["verdict"] == "climbing"
    assert json.loads((tmp_path / result["run"] / "check.json").read_text()) == result
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


def test_undecided_in_the_time_given_is_no_pass_unless_allowed(soak: Soak, tmp_path: Path) -> None:
    longer = [*SHORT_BLOCKS, "--set", "judge.min_duration_s=3600"]
    done = soak("check", "--max-minutes", "0.1", *longer)
    assert done.status == 3, done.err
    assert "undecided: verdict" in done.out.splitlines()[-1]
    (path,) = (tmp_path / "reports").iterdir()
    allowed = soak("check", str(path), "--allow-inconclusive", "--max-rss", "10MiB")
    assert allowed.status == 1
    assert allowed.out.splitlines()[-1] == "failed: max-rss"


def test_options_that_cannot_be_meant_are_one_line(soak: Soak, tmp_path: Path) -> None:
    for arguments, complaint in (
        (["--max-rss", "much"], "--max-rss much: write a size"),
        (["--baseline", "missing.json"], "write one with 'soak baseline save'"),
        (["--minutes", "1", "--max-minutes", "2"], "--max-minutes is for runs until decided"),
        ([str(tmp_path), "--minutes", "1"], "the options on how to run do not go with it"),
    ):
        done = soak("check", *arguments)
        assert done.status == 2
        assert complaint in done.err
        assert len(done.err.splitlines()) == 1
    assert not (tmp_path / "reports").exists()


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

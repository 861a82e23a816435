"""What becomes of a test when the process that soaks its server ends well, badly, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from soak.pytest_plugin import soaking
from soak.pytest_plugin.options import SoakOptions
from soak.pytest_plugin.servers import SoakServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Soak = Callable[..., soaking.Soaked]

RESULT = """
RESULT = {
    "exit_code": 1,
    "headline": "failed: max-rss",
    "run": "a-run",
    "findings": [{"name": "max-rss", "outcome": "failed", "message": "peak 2 GiB; allowed is 1 GiB"}],
}
"""


@pytest.fixture
def soak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Soak:
    """Soak by a process that does what the body of a module says, after it has read its request."""

    def soak(body: str, **options: object) -> soaking.Soaked:
        (tmp_path / "pretended.py").write_text(
            f"import json, sys, time\nsys.stdin.read()\n{RESULT}\n{body}\n"
        )
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setattr(soaking, "PROCESS", "pretended")
        server = SoakServer("ws://127.0.0.1:1", 1, tmp_path / "server.log")
        asked = SoakOptions(**options)  # type: ignore[arg-type]  # keywords of several types
        return soaking.soak_server_of(server, asked, tmp_path / "out", "test_it.py::test_it")

    return soak


def test_a_check_that_passes_fails_no_test(soak: Soak) -> None:
    soaked = soak('print(json.dumps(RESULT | {"exit_code": 0, "headline": "passed"}))')
    assert (soaked.headline, soaked.failure) == ("passed", None)


def test_a_check_that_fails_is_told_with_its_findings(soak: Soak) -> None:
    soaked = soak("print(json.dumps(RESULT)); sys.exit(1)")
    assert soaked.headline == "failed: max-rss"
    assert soaked.failure is not None
    assert soaked.failure.startswith("soak: failed: max-rss\n")
    assert "✗ max-rss              peak 2 GiB; allowed is 1 GiB" in soaked.failure
    assert soaked.failure.endswith("Report: a-run/report.html")


HANGS = "try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    "


def test_a_soak_that_takes_too_long_is_ended_and_tells_what_it_has(soak: Soak) -> None:
    soaked = soak(f"{HANGS}print(json.dumps(RESULT))", timeout_s=3.0)
    assert soaked.headline == "time-out"
    assert soaked.failure is not None
    assert soaked.failure.startswith("soak: the soak took longer than timeout_s=3\n")
    assert "max-rss" in soaked.failure


def test_a_soak_that_hears_nothing_is_killed(soak: Soak, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soaking, "REPORT_TIMEOUT_S", 0.2)
    soaked = soak(f"{HANGS}time.sleep(60)", timeout_s=1.0)
    assert soaked.headline == "time-out"
    assert soaked.failure is not None
    assert "what it recorded is under" in soaked.failure


def test_what_cannot_be_meant_is_a_usage_error_and_a_breakdown_a_failure(soak: Soak) -> None:
    with pytest.raises(pytest.UsageError, match="max_rss much: write a size"):
        soak('sys.stderr.write("soak: max_rss much: write a size\\n"); sys.exit(2)')
    soaked = soak('raise KeyError("lost")')
    assert (soaked.headline, soaked.failure) == ("the soak broke down", "soak: KeyError: 'lost'")

"""The pytest plugin on real servers, in a pytest of its own."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.e2e.rundirs import SHORT_BLOCKS

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]

SETTINGS = [part for part in SHORT_BLOCKS if part != "--set"]


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Run tests written here, in a process of their own; `SETTINGS` make their soaks short."""

    def run(tests: str, *arguments: str) -> pytest.RunResult:
        head = f"import pytest\nSETTINGS = {SETTINGS!r}\n"
        pytester.makepyfile(head + textwrap.dedent(tests))
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments, timeout=150)

    return run


def test_a_leak_fails_with_verdict_numbers_and_a_chart(run: Run, pytester: pytest.Pytester) -> None:
    result = run(
        """
        @pytest.mark.soak(
            connections=200,
            max_growth="64KiB/connection",
            settings=[*SETTINGS, 'server.inject=["session:2MiB"]'],
        )
        def test_sessions(soak_server):
            assert soak_server.url.startswith("ws://")
        """,
        "--soak-report",
        "kept",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "soak: failed: verdict, max-per-connection",
            "✗ verdict * climbing: *",
            "✗ max-per-connection *MiB/connection (*",
            "RSS, MiB",
            "*┤*█",
            "Report: *report.html",
            "*test_sessions: failed: verdict, max-per-connection",
        ]
    )
    assert "soaking.py" not in result.stdout.str()  # no traceback through the plugin
    (report,) = (pytester.path / "kept" / "test_sessions").glob("*/report.html")
    assert report.stat().st_size > 100_000


def test_a_healthy_command_of_ones_own_passes(run: Run) -> None:
    result = run(
        f"""
        @pytest.mark.soak(
            connections=160,
            max_growth="50GiB/hour",
            command=[{sys.executable!r}, "-m", "asr_server", "--port", "{{port}}", "--sweep-interval-s", "0"],
            settings=SETTINGS,
        )
        def test_own():
            pass
        """
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*= soaks =*", "*test_own: passed"])


def _servers() -> set[psutil.Process]:
    return {each for each in psutil.Process().children(recursive=True) if "asr_server" in each.cmdline()}


def test_soaks_take_turns_under_xdist_and_end_in_time(run: Run) -> None:
    before = _servers()
    result = run(
        """
        @pytest.mark.soak(timeout_s=2, settings=SETTINGS)
        def test_one(): pass

        @pytest.mark.soak(timeout_s=2, settings=SETTINGS)
        def test_other(): pass

        def test_plain(): pass
        """,
        *("-n", "2"),
    )
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*the soak took longer than timeout_s=2*"])
    assert not _servers() - before


def test_the_body_comes_first_and_the_server_may_be_used_without_a_soak(run: Run) -> None:
    result = run(
        """
        from websockets.sync.client import connect

        @pytest.mark.soak(connections=40, settings=SETTINGS)
        def test_fails_before_the_soak(soak_server):
            assert False, "the body"

        def test_no_soak(soak_server):
            with connect(soak_server.url, subprotocols=["binary"]):
                pass
        """
    )
    result.assert_outcomes(passed=1, failed=1)
    assert "soaks =" not in result.stdout.str()


def test_what_cannot_be_meant_or_started_is_said(run: Run) -> None:
    wrong = run(
        """
        @pytest.mark.soak(conections=3)
        def test_typo(): pass
        """
    )
    assert wrong.ret == pytest.ExitCode.USAGE_ERROR
    wrong.stderr.fnmatch_lines(["*conections is unknown*"])
    method = run(
        """
        import unittest

        class TestOld(unittest.TestCase):
            @pytest.mark.soak
            def test_method(self): pass
        """
    )
    assert method.ret == pytest.ExitCode.USAGE_ERROR
    method.stderr.fnmatch_lines(["*is a unittest method; write a function*"])
    absent = run(
        """
        @pytest.mark.soak(command=["no-such-server"])
        def test_absent(): pass

        @pytest.mark.soak(command=["sh", "-c", "echo no licence >&2; exit 3"])
        def test_ends(): pass
        """
    )
    absent.assert_outcomes(errors=2)
    absent.stdout.fnmatch_lines(
        ["*cannot start no-such-server*", "*ended at once (status 3)*", "*no licence*"]
    )

"""A check as JUnit XML, which every CI system reads: one test case for each judged thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from soak.foreign_text import for_xml
from soak.private_file import replacing
from soak.report.markdown import render_markdown
from soak.studies.check.findings import Outcome
from soak.studies.profile.words import issue_text

if TYPE_CHECKING:
    from pathlib import Path

    from soak.studies.check.result import CheckResult


def write_junit(result: CheckResult, path: Path) -> None:
    """Write the findings of `result` to `path`; raises `SoakError` when it cannot be written.

    What is undecided is a failure, or skipped where that is allowed.
    """
    name = for_xml(f"soak.{result.run.name}")
    suite = TestSuite(name)
    for finding in result.findings:
        case = TestCase(finding.name, classname=name)
        if finding.name == "verdict":
            case.time = round(result.report.duration_s, 3)
            case.system_out = for_xml(_told(result))
        if finding.outcome is Outcome.FAILED or (
            finding.outcome is Outcome.UNDECIDED and not result.allow_inconclusive
        ):
            case.result = [Failure(for_xml(finding.message), str(finding.outcome))]
        elif finding.outcome is not Outcome.PASSED:
            case.result = [Skipped(for_xml(finding.message))]
        suite.add_testcase(case)
    _write(suite, path)


def _told(result: CheckResult) -> str:
    """Return the run's report, after it the code that keeps the memory, where that is known."""
    report = render_markdown(result.report)
    return report if result.profile is None else f"{report}\n{issue_text(result.profile)}"


def write_failed_start(message: str, path: Path) -> None:
    """Write that there was no run to judge, as an error; raises `SoakError` when it cannot be written."""
    suite = TestSuite("soak")
    case = TestCase("server", classname="soak")
    case.result = [Error(for_xml(message), "failed")]
    suite.add_testcase(case)
    _write(suite, path)


def _write(suite: TestSuite, path: Path) -> None:
    document = JUnitXml("soak check")
    document.add_testsuite(suite)
    with replacing(path) as stream:
        document.write(stream, pretty=True)

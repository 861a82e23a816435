"""A check as JUnit XML, which every CI system reads: one test case for each judged thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from soak.check.findings import Outcome
from soak.record.directory import explained
from soak.report.markdown import render_markdown

if TYPE_CHECKING:
    from pathlib import Path

    from soak.check.result import CheckResult


def write_junit(result: CheckResult, path: Path, *, allow_inconclusive: bool = False) -> None:
    """Write the findings of `result` to `path`; raises `SoakError` when it cannot be written.

    What is undecided is a failure, or skipped where that is allowed.
    """
    suite = TestSuite(f"soak.{result.run.name}")
    for finding in result.findings:
        case = TestCase(finding.name, classname=f"soak.{result.run.name}")
        if finding.name == "verdict":
            case.time = round(result.judgement.verdict.duration_s, 3)
            case.system_out = render_markdown(result.run, result.judgement.verdict)
        if finding.outcome is Outcome.FAILED or (
            finding.outcome is Outcome.UNDECIDED and not allow_inconclusive
        ):
            case.result = [Failure(finding.message, str(finding.outcome))]
        elif finding.outcome is not Outcome.PASSED:
            case.result = [Skipped(finding.message)]
        suite.add_testcase(case)
    document = JUnitXml("soak check")
    document.add_testsuite(suite)
    with explained(path):
        document.write(str(path), pretty=True)

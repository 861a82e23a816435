"""What a check finds in a run, and what it writes for CI systems."""

from __future__ import annotations

import dataclasses
import json
import re
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from junitparser import Failure, JUnitXml, Skipped
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from rich.console import Console

from soak.errors import ExitCode, SoakError
from soak.judging import judge_run
from soak.record import read_run
from soak.report.model import report_model
from soak.studies.check.archive import write_archive
from soak.studies.check.findings import Finding, Outcome, check_exit_code
from soak.studies.check.github import append_job_summary, is_github, workflow_commands
from soak.studies.check.junit import write_failed_start, write_junit
from soak.studies.check.limits import Limits
from soak.studies.check.openmetrics import write_openmetrics
from soak.studies.check.result import CheckResult, Criteria, check_result
from soak.studies.check.summary import render_summary
from soak.studies.check.table import findings_table
from soak.studies.profile.frames import Frame
from soak.studies.profile.heap_course import HeapCourse
from soak.studies.profile.result import profile_result

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.soak.studies.conftest import Record

MIB = 2**20


def _checked(path: Path, limits: Limits | None = None, *, allow: bool = False) -> CheckResult:
    run = read_run(path)
    judgement = judge_run(run)
    criteria = Criteria(limits or Limits(), allow_inconclusive=allow)
    return check_result(run, judgement, report_model(run, judgement), criteria)


def _outcomes(result: CheckResult) -> dict[str, Outcome]:
    return {finding.name: finding.outcome for finding in result.findings}


def test_a_healthy_run_passes_with_limits_that_it_keeps(record: Record) -> None:
    result = _checked(
        record(),
        Limits(
            max_rss_bytes=120 * MIB,
            max_growth_bytes_per_hour=5 * MIB,
            max_bytes_per_connection=4096,
            max_fds=20,
            max_latency_p99_ms=100,
        ),
    )
    assert set(_outcomes(result).values()) == {Outcome.PASSED}
    assert len(result.findings) == 7
    assert result.exit_code is ExitCode.PLATEAU
    assert result.headline == "passed"


def test_each_limit_that_is_exceeded_is_named(record: Record) -> None:
    result = _checked(
        record(failed=40),
        Limits(max_rss_bytes=100 * MIB, max_fds=11, max_latency_p99_ms=10, max_failed_share=0.05),
    )
    assert result.headline == "failed: failures, max-rss, max-fds, max-latency-p99"
    assert result.exit_code is ExitCode.CLIMBING
    assert _outcomes(result)["verdict"] is Outcome.PASSED


def test_a_leak_fails_by_its_verdict_and_by_its_size(record: Record) -> None:
    result = _checked(record(kept_bytes=32 * 1024), Limits(max_bytes_per_connection=4096))
    assert result.headline == "failed: verdict, max-per-connection"
    assert result.exit_code is ExitCode.CLIMBING


def test_a_limit_inside_the_interval_is_undecided(record: Record) -> None:
    result = _checked(record(kept_bytes=32 * 1024), Limits(max_bytes_per_connection=32 * 1024))
    assert _outcomes(result)["max-per-connection"] is Outcome.UNDECIDED


def test_what_was_not_recorded_is_skipped_rather_than_passed(tmp_path: Path) -> None:
    path = tmp_path / "memory.csv"
    path.write_text("t_s,rss_bytes\n" + "".join(f"{t},{100 * MIB + t % 7}\n" for t in range(300)))
    result = _checked(path, Limits(max_fds=10, max_latency_p99_ms=10, max_cer=0.1))
    assert {name for name, outcome in _outcomes(result).items() if outcome is Outcome.SKIPPED} == {
        "failures",
        "max-fds",
        "max-latency-p99",
        "max-cer",
    }
    write_openmetrics(result, tmp_path / "metrics.txt")
    assert "soak_peak_bytes" in (tmp_path / "metrics.txt").read_text()


@pytest.mark.parametrize(
    ("outcomes", "judged", "allow", "code"),
    [
        ([Outcome.PASSED, Outcome.SKIPPED], ExitCode.PLATEAU, False, ExitCode.PLATEAU),
        ([Outcome.UNDECIDED], ExitCode.INCONCLUSIVE, False, ExitCode.INCONCLUSIVE),
        ([Outcome.UNDECIDED], ExitCode.INCONCLUSIVE, True, ExitCode.PLATEAU),
        ([Outcome.UNDECIDED, Outcome.FAILED], ExitCode.PLATEAU, True, ExitCode.CLIMBING),
        ([Outcome.FAILED], ExitCode.TARGET_FAILED, False, ExitCode.TARGET_FAILED),
        ([Outcome.PASSED], ExitCode.INTERRUPTED, True, ExitCode.INTERRUPTED),
    ],
)
def test_exit_code(outcomes: list[Outcome], judged: ExitCode, code: ExitCode, *, allow: bool) -> None:
    findings = [Finding("x", outcome, "") for outcome in outcomes]
    assert check_exit_code(findings, judged, allow_inconclusive=allow) is code


def test_junit_has_a_case_for_each_judged_thing(record: Record, tmp_path: Path) -> None:
    result = _checked(record(kept_bytes=32 * 1024), Limits(max_rss_bytes=2**30, max_cer=0.1))
    write_junit(result, tmp_path / "soak.xml")
    (suite,) = JUnitXml.fromfile(str(tmp_path / "soak.xml"))
    cases = {case.name: case for case in suite}
    assert list(cases) == ["verdict", "failures", "max-rss", "max-cer"]
    assert (suite.tests, suite.failures, suite.skipped) == (4, 1, 1)
    (failure,) = cases["verdict"].result
    assert isinstance(failure, Failure)
    assert failure.message.startswith("climbing: ")
    assert "KiB" in failure.message
    assert "keeps climbing" in cases["verdict"].system_out
    assert not cases["max-rss"].result
    assert isinstance(cases["max-cer"].result[0], Skipped)


def test_junit_is_xml_whatever_a_server_says(record: Record, tmp_path: Path) -> None:
    result = _checked(record())
    wild = Finding("wild", Outcome.FAILED, "a\x00b\x1b[1m\ud800 <&> 三")
    write_junit(dataclasses.replace(result, findings=(wild,)), tmp_path / "soak.xml")
    (suite,) = JUnitXml.fromfile(str(tmp_path / "soak.xml"))
    (case,) = suite
    assert case.result[0].message == "a\ufffdb\ufffd[1m\ufffd <&> 三"
    write_failed_start("it\x07 never listened", tmp_path / "none.xml")
    (suite,) = JUnitXml.fromfile(str(tmp_path / "none.xml"))
    assert (suite.errors, suite.tests) == (1, 1)


def test_what_is_undecided_is_skipped_in_junit_only_when_allowed(record: Record, tmp_path: Path) -> None:
    result = _checked(record(kept_bytes=32 * 1024), Limits(max_bytes_per_connection=32 * 1024))
    kinds = []
    for allow in (False, True):
        write_junit(dataclasses.replace(result, allow_inconclusive=allow), tmp_path / "soak.xml")
        (suite,) = JUnitXml.fromfile(str(tmp_path / "soak.xml"))
        kinds.append({case.name: type(case.result[0]) for case in suite if case.result})
    assert [kind["max-per-connection"] for kind in kinds] == [Failure, Skipped]


def test_the_summary_says_what_failed_and_draws_memory(record: Record) -> None:
    text = render_summary(_checked(record(kept_bytes=32 * 1024)))
    assert text.startswith("## soak check: failed: verdict\n")
    assert "| ✗ failed | verdict | climbing: " in text
    (line,) = [line for line in text.splitlines() if line.startswith("    line [")]
    values = [float(value) for value in line.removeprefix("    line [").removesuffix("]").split(",")]
    assert values[-1] - values[0] > 15  # 500 connections of 32 KiB
    assert text.count("```") == 2


def test_github_gets_annotations_and_a_summary(record: Record, tmp_path: Path) -> None:
    result = _checked(record(kept_bytes=32 * 1024))
    error, notice = workflow_commands(result)
    assert error.startswith("::error title=soak%3A verdict::climbing")
    assert re.search(r"\(9\d\.\d %25\)", error)
    assert notice == "::notice title=soak check::failed: verdict"
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    append_job_summary("text\n", {"GITHUB_STEP_SUMMARY": str(path)})
    append_job_summary("nowhere\n", {})
    assert path.read_text() == "before\ntext\n"
    assert [is_github({"GITHUB_ACTIONS": value}) for value in ("true", "")] == [True, False]


def test_openmetrics_can_be_read_back(record: Record, tmp_path: Path) -> None:
    write_openmetrics(_checked(record()), tmp_path / "metrics.txt")
    families = {
        each.name: each for each in text_string_to_metric_families((tmp_path / "metrics.txt").read_text())
    }
    (sample,) = families["soak_level_bytes"].samples
    assert sample.labels == {"config": "minimal"}
    assert sample.value == pytest.approx(108 * MIB, rel=0.01)


def test_the_archive_holds_the_run_and_not_itself(record: Record) -> None:
    path = record()
    write_archive(path, path / "run.zip")
    with zipfile.ZipFile(path / "run.zip") as archive:
        assert archive.testzip() is None
        names = {name.removeprefix(f"{path.name}/") for name in archive.namelist()}
    assert names == {"samples.csv", "manifest.json", "events.jsonl"}
    with pytest.raises(SoakError, match="No such file"):
        write_archive(path, path / "missing" / "run.zip")


def test_json_and_table(record: Record) -> None:
    result = _checked(record(), Limits(max_rss_bytes=2**30))
    content = json.loads(json.dumps(result.to_json_object(), allow_nan=False))
    assert content["exit_code"] == 0
    assert [finding["outcome"] for finding in content["findings"]] == ["passed"] * 3
    console = Console(width=80, record=True, quiet=True)
    console.print(findings_table(result))


def test_a_profile_in_the_run_directory_names_the_code_wherever_ci_looks(
    record: Record, tmp_path: Path
) -> None:
    path = record(kept_bytes=32 * 1024)
    connections = 10.0 * np.arange(1, 15, dtype=np.float64)
    in_use = 32768.0 * connections
    site = Frame("Server::on_close(int)", "/src/server.cc", 40, "server", 7)
    course = HeapCourse(connections / 2.0, connections, {(site,): in_use}, in_use)
    profile_result(course, [], run="profiled", profiler="jemalloc", command="soak profile").write(path)
    result = _checked(path)
    found = re.search(
        r"Server::on_close \(server.cc:40\) keeps 3[123]\S* KiB per connection", render_summary(result)
    )
    assert found is not None
    said = found[0]
    assert result.to_json_object()["profile"]["stacks"][0]["site"]["line"] == 40
    assert f"### Which code\n\n**{said}**" in render_summary(result)
    write_junit(result, tmp_path / "soak.xml")
    (suite,) = JUnitXml.fromfile(str(tmp_path / "soak.xml"))
    assert said in next(iter(suite)).system_out
    annotation = workflow_commands(result)[1]
    assert annotation == f"::error title=soak profile,file=/src/server.cc,line=40::{said}"
    assert result.exit_code is ExitCode.CLIMBING


def test_a_broken_profile_is_told_in_one_line(record: Record) -> None:
    path = record()
    (path / "profile.json").write_text("{}")
    with pytest.raises(SoakError, match="is no profile"):
        _checked(path)

"""A check: a run, the criteria it must meet, and what it came to, as the JSON that other programs read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from soak.errors import ExitCode
from soak.judging import judge_run, recorded_settings
from soak.record import read_run
from soak.record.directory import write_json
from soak.report.model import ReportModel, report_model
from soak.studies.check.findings import Finding, Outcome, check_exit_code
from soak.studies.check.limits import findings_of
from soak.studies.compare.run_figures import RunFigures
from soak.studies.profile.result import FILE_NAME as PROFILE_NAME
from soak.studies.profile.result import ProfileResult

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from soak.judging import Judgement
    from soak.record import Run
    from soak.studies.check.against_baseline import Baseline
    from soak.studies.check.limits import Limits
    from soak.studies.compare.comparing import Compared
    from soak.studies.conduct import MadeRun

SCHEMA_VERSION = 1
FILE_NAME = "check.json"


@dataclass(frozen=True)
class Criteria:
    """What a run must come to for the check to pass."""

    limits: Limits
    baseline: Baseline | None = None
    allow_inconclusive: bool = False
    """Whether what could not be decided passes."""


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """A run, judged for continuous integration."""

    run: Run
    judgement: Judgement
    report: ReportModel
    """What is told of it."""
    figures: RunFigures
    findings: tuple[Finding, ...]
    compared: tuple[Compared, ...]
    """Against the baseline; empty without one."""
    allow_inconclusive: bool
    """Whether what is undecided was let pass."""
    exit_code: ExitCode
    profile: ProfileResult | None = None
    """Which code keeps the memory, where a `profile.json` lies in the run's directory."""

    @property
    def headline(self) -> str:
        """What it comes to in a line: ``failed: verdict, max-rss``."""
        failed = [each.name for each in self.findings if each.outcome is Outcome.FAILED]
        undecided = [each.name for each in self.findings if each.outcome is Outcome.UNDECIDED]
        match self.exit_code:
            case ExitCode.PLATEAU:
                allowed = f", undecided and allowed: {', '.join(undecided)}" if undecided else ""
                return f"passed{allowed}"
            case ExitCode.INCONCLUSIVE:
                return f"undecided: {', '.join(undecided)}"
            case ExitCode.TARGET_FAILED:
                return "the server failed"
            case ExitCode.INTERRUPTED:
                return "interrupted"
            case _:
                return f"failed: {', '.join(failed)}"

    def to_json_object(self) -> dict[str, Any]:
        """Return what `check.json` and `--json` hold; NaN is null."""
        return {
            "schema_version": SCHEMA_VERSION,
            "run": str(self.run.path),
            "verdict": str(self.judgement.verdict.label),
            "exit_code": int(self.exit_code),
            "headline": self.headline,
            "findings": [asdict(finding) for finding in self.findings],
            "compared": [row.to_json_object() for row in self.compared],
            "profile": None if self.profile is None else self.profile.to_json_object(),
        }


def check_result(
    run: Run,
    judgement: Judgement,
    report: ReportModel,
    criteria: Criteria,
    *,
    exit_code: ExitCode | None = None,
) -> CheckResult:
    """Judge `run` by its verdict, the limits, and the baseline where there is one.

    `exit_code` is that of the run where it knows more than the judgement (an interruption).
    """
    baseline = criteria.baseline
    compared, regressed = ([], []) if baseline is None else baseline.judge(run, judgement.verdict)
    findings = (*findings_of(run, judgement, criteria.limits), *regressed)
    allow = criteria.allow_inconclusive
    return CheckResult(
        run=run,
        judgement=judgement,
        report=report,
        figures=RunFigures.of(run, judgement.verdict),
        findings=findings,
        compared=tuple(compared),
        allow_inconclusive=allow,
        exit_code=check_exit_code(findings, exit_code or judgement.exit_code, allow_inconclusive=allow),
        profile=ProfileResult.read(run.path) if (run.path / PROFILE_NAME).is_file() else None,
    )


def check_made(made: MadeRun, criteria: Criteria) -> CheckResult:
    """Check a run that has just been made, and write `check.json` into its directory."""
    result = check_result(made.run, made.judgement, made.result.report, criteria, exit_code=made.exit_code)
    write_json(made.run.path / FILE_NAME, result.to_json_object())
    return result


def check_recorded(path: Path, criteria: Criteria, asked: Mapping[str, float] | None = None) -> CheckResult:
    """Check the recorded run at `path`, which stays as it is, with the judge's settings that are asked for.

    Raises `SoakError` when it cannot be judged.
    """
    run = read_run(path)
    judgement = judge_run(run, recorded_settings(run, asked))
    return check_result(run, judgement, report_model(run, judgement), criteria)

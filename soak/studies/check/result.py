"""What a check came to, as the JSON that other programs read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from soak.errors import ExitCode
from soak.studies.check.findings import Finding, Outcome, check_exit_code
from soak.studies.check.limits import Limits, findings_of

if TYPE_CHECKING:
    from soak.judgement import Judgement
    from soak.record import Run
    from soak.studies.check.against_baseline import Baseline
    from soak.studies.compare.comparing import Compared

SCHEMA_VERSION = 1
FILE_NAME = "check.json"


@dataclass(frozen=True)
class CheckResult:
    """A run, judged for continuous integration."""

    run: Run
    judgement: Judgement
    findings: tuple[Finding, ...]
    compared: tuple[Compared, ...]
    """Against the baseline; empty without one."""
    exit_code: ExitCode

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
            "verdict": str(self.judgement.verdict.verdict),
            "exit_code": int(self.exit_code),
            "headline": self.headline,
            "findings": [asdict(finding) for finding in self.findings],
            "compared": [row.to_json_object() for row in self.compared],
        }


def check_result(
    run: Run,
    judgement: Judgement,
    limits: Limits,
    *,
    exit_code: ExitCode | None = None,
    baseline: Baseline | None = None,
    allow_inconclusive: bool = False,
) -> CheckResult:
    """Judge `run` by its verdict, the limits, and the baseline where there is one.

    `exit_code` is that of the run where it knows more than the judgement (an interruption).
    """
    compared, regressed = ([], []) if baseline is None else baseline.judge(run, judgement.verdict)
    findings = (*findings_of(run, judgement, limits), *regressed)
    code = check_exit_code(findings, exit_code or judgement.exit_code, allow_inconclusive=allow_inconclusive)
    return CheckResult(run, judgement, findings, tuple(compared), code)

"""A check as Markdown for a pull request or a job summary, with a picture that GitHub and GitLab draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.foreign_text import for_markdown
from soak.report.markdown import render_markdown
from soak.report.mermaid import render_mermaid
from soak.studies.check.findings import SIGNS
from soak.studies.profile.words import issue_text

if TYPE_CHECKING:
    from soak.studies.check.result import CheckResult


def render_summary(result: CheckResult) -> str:
    """Return the headline, the findings as a table, the picture, and the run's own report folded in."""
    rows = "\n".join(
        f"| {SIGNS[finding.outcome]} {finding.outcome} | {finding.name} | {for_markdown(finding.message)} |"
        for finding in result.findings
    )
    parts = [
        f"## soak check: {for_markdown(result.headline)}",
        f"|  | judged | found |\n|---|---|---|\n{rows}",
        "" if result.profile is None else f"### Which code\n\n{issue_text(result.profile)}".rstrip(),
        render_mermaid(result.report.memory),
        f"<details><summary>The run</summary>\n\n{render_markdown(result.report)}\n</details>",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"

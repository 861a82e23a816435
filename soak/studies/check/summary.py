"""A check as Markdown for a pull request or a job summary, with a picture that GitHub and GitLab draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soak.report.markdown import plain_text, render_markdown
from soak.studies.check.findings import SIGNS

if TYPE_CHECKING:
    from soak.record import Run
    from soak.studies.check.result import CheckResult

MIB = 2**20
POINTS = 40
"""Of the picture: a chart of Mermaid has no room for more."""


def render_summary(result: CheckResult) -> str:
    """Return the headline, the findings as a table, the picture, and the run's own report folded in."""
    rows = "\n".join(
        f"| {SIGNS[finding.outcome]} {finding.outcome} | {finding.name} | {plain_text(finding.message)} |"
        for finding in result.findings
    )
    parts = [
        f"## soak check: {plain_text(result.headline)}",
        f"|  | judged | found |\n|---|---|---|\n{rows}",
        memory_picture(result.run),
        f"<details><summary>The run</summary>\n\n{render_markdown(result.report)}\n</details>",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def memory_picture(run: Run) -> str:
    """Return RSS over the run as a Mermaid chart, the form in which a job summary can hold a picture.

    Summaries show neither attached files nor data addresses, but they draw Mermaid. Empty for a run of
    fewer than two readings.
    """
    known = run.samples[["t_s", "rss_bytes"]].dropna()
    if len(known) < 2:
        return ""
    minutes = known["t_s"].to_numpy(np.float64) / 60.0
    rss_mib = known["rss_bytes"].to_numpy(np.float64) / MIB
    at = np.linspace(minutes[0], minutes[-1], min(POINTS, len(known)))
    values = np.interp(at, minutes, rss_mib)
    low, high = float(values.min()), float(values.max())
    margin = max(0.1 * (high - low), 1.0)
    return "\n".join(
        (
            "```mermaid",
            "xychart-beta",
            '    title "RSS over the run"',
            f'    x-axis "minutes" {at[0]:.1f} --> {at[-1]:.1f}',
            f'    y-axis "MiB" {max(low - margin, 0.0):.0f} --> {high + margin:.0f}',
            f"    line [{', '.join(f'{value:.1f}' for value in values)}]",
            "```",
        )
    )

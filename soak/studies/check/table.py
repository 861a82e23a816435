"""What a check found, as a table for a terminal of 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from soak.report.plain_table import plain_table
from soak.studies.check.findings import SIGNS, Outcome

if TYPE_CHECKING:
    from rich.table import Table

    from soak.studies.check.result import CheckResult

STYLES = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "bold red",
    Outcome.UNDECIDED: "yellow",
    Outcome.SKIPPED: "dim",
}


def findings_table(result: CheckResult) -> Table:
    """Return the findings, one line or some for each."""
    table = plain_table()
    table.add_column("check", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("found", overflow="fold")
    for finding in result.findings:
        style = STYLES[finding.outcome]
        table.add_row(finding.name, Text(SIGNS[finding.outcome], style=style), Text(finding.message))
    return table

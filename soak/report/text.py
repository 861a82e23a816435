"""The end of a run on the terminal: verdict, why, key figures, where the report is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from soak.report import wording
from soak.report.file_names import HTML_NAME
from soak.report.plain_table import plain_table
from soak.report.resource_table import ResourceTable, resource_table

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

    from soak.record import Run
    from soak.verdict.verdict import Verdict

STYLES = {
    "plateau": "bold green",
    "climbing": "bold red",
    "inconclusive": "bold yellow",
    "failed": "bold red",
}


def render_terminal(run: Run, verdict: Verdict, report_path: Path | None = None) -> RenderableType:
    """Return what a run ends with on a terminal of 80 columns; colours only where the console has them.

    `report_path` is named at the end; by default the report in the run directory, if it is there.
    """
    parts: list[RenderableType] = [
        _headline(run, verdict),
        Text(wording.sentence(verdict)),
    ]
    settling = wording.settling_sentence(verdict)
    if settling:
        parts.append(Text(settling))
    if verdict.confidence:
        parts.append(Text(f"Confidence: {verdict.confidence}", style="dim"))
    parts += [Text(f"! {warning}", style="yellow") for warning in wording.warnings(run, verdict)]
    parts += [Text(), _figures(run, verdict)]
    resources = resource_table(verdict)
    if resources is not None:
        parts += [Text(), _resources(resources)]
    reasons = wording.further_reasons(verdict)
    if reasons:
        parts += [Text(), *(_bullet(reason) for reason in reasons)]
    path = report_path or _report_of(run)
    if path is not None:
        parts += [Text(), Text.assemble(("Report: ", "bold"), _shortest(path), overflow="fold")]
    return Group(*parts)


def _headline(run: Run, verdict: Verdict) -> Text:
    banner, label = wording.banner(run, verdict), wording.label_of(verdict)
    line = f"{banner.sign} {label.upper()}"
    if banner.headline.lower() != label:
        line += f": {banner.headline}"
    return Text(line, style=STYLES[banner.tone])


def _figures(run: Run, verdict: Verdict) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(no_wrap=True, justify="right", style="bold")
    table.add_column(overflow="fold")
    for figure in wording.key_figures(run, verdict):
        table.add_row(Text(figure.label), Text(figure.value), Text(figure.note))
    return table


def _resources(resources: ResourceTable) -> Table:
    table = plain_table()
    table.add_column("Other resources", no_wrap=True, style="dim")
    table.add_column("start", no_wrap=True, justify="right")
    table.add_column("end", no_wrap=True, justify="right")
    table.add_column(f"{resources.unit} (95 %)", overflow="fold")
    table.add_column("verdict", no_wrap=True)
    for row in resources.rows:
        verdict = Text(f"{row.sign} {row.verdict}", style=STYLES[row.verdict])
        table.add_row(
            Text(row.label), Text(row.start), Text(row.end), Text(row.growth_with_interval), verdict
        )
    return table


def _bullet(reason: str) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column(overflow="fold")
    grid.add_row("·", Text(reason))
    return Padding(grid, (0, 0))


def _shortest(path: Path) -> str:
    """Return the path as given or from the working directory: a wrapped one is hard to click or copy."""
    return min(str(path), os.path.relpath(path), key=len)


def _report_of(run: Run) -> Path | None:
    path = run.path / HTML_NAME
    return path if path.is_file() else None

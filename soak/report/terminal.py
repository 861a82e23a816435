"""The end of a run on the terminal: verdict, why, key figures, where the report is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from soak.report.file_names import HTML_NAME
from soak.report.plain_table import plain_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rich.console import RenderableType

    from soak.report.model import ReportModel
    from soak.report.model.headline import Headline
    from soak.report.model.key_figures import Figure
    from soak.report.model.tables.resources import ResourceTable

STYLES = {
    "plateau": "bold green",
    "climbing": "bold red",
    "inconclusive": "bold yellow",
    "failed": "bold red",
}


def render_terminal(model: ReportModel, report_path: Path | None = None) -> RenderableType:
    """Return what a run ends with on a terminal of 80 columns; colours only where the console has them.

    `report_path` is named at the end; by default the report in the run directory, if it is there.
    """
    head = model.headline
    parts: list[RenderableType] = [_headline(head), Text(head.sentence)]
    if model.read_as:
        parts.insert(0, Text(f"{model.name}: read as {model.read_as}", style="dim"))
    if head.settling:
        parts.append(Text(head.settling))
    if head.confidence:
        parts.append(Text(f"Confidence: {head.confidence}", style="dim"))
    parts += [Text(f"! {warning}", style="yellow") for warning in head.warnings]
    parts += [Text(), _figures(model.figures)]
    if model.resources is not None:
        parts += [Text(), _resources(model.resources)]
    if head.reasons:
        parts += [Text(), *(_bullet(reason) for reason in head.reasons)]
    path = report_path or _report_of(model)
    if path is not None:
        parts += [Text(), Text.assemble(("Report: ", "bold"), _shortest(path), overflow="fold")]
    return Group(*parts)


def _headline(head: Headline) -> Text:
    line = f"{head.sign} {head.label.upper()}"
    if head.headline.lower() != head.label:
        line += f": {head.headline}"
    return Text(line, style=STYLES[head.tone])


def _figures(figures: Iterable[Figure]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(no_wrap=True, justify="right", style="bold")
    table.add_column(overflow="fold")
    for figure in figures:
        table.add_row(Text(figure.label), Text(figure.value), Text(figure.note))
    return table


def _resources(resources: ResourceTable) -> Table:
    table = plain_table()
    table.add_column("Other resources", no_wrap=True, style="dim")
    table.add_column("start", no_wrap=True, justify="right")
    table.add_column("end", no_wrap=True, justify="right")
    table.add_column(f"{resources.unit} ({resources.bounds})", overflow="fold")
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


def _report_of(model: ReportModel) -> Path | None:
    path = model.path / HTML_NAME
    return path if path.is_file() else None

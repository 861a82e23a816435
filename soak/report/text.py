"""The end of a run on the terminal: verdict, why, key figures, where the report is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from soak.report import wording
from soak.report.files import HTML_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

    from soak.analyse.verdict import Verdict
    from soak.record import Run

STYLES = {"plateau": "bold green", "climbing": "bold red", "inconclusive": "bold yellow"}


def render_terminal(run: Run, verdict: Verdict, report_path: Path | None = None) -> RenderableType:
    """Return what a run ends with on a terminal of 80 columns; colours only where the console has them.

    `report_path` is named at the end; by default the report in the run directory, if it is there.
    """
    label = wording.label_of(verdict)
    parts: list[RenderableType] = [
        Text(_headline(verdict), style=STYLES[label]),
        Text(wording.sentence(verdict)),
    ]
    settling = wording.settling_sentence(verdict)
    if settling:
        parts.append(Text(settling))
    parts += [Text(f"! {warning}", style="yellow") for warning in wording.warnings(run)]
    parts += [Text(), _figures(run, verdict)]
    said = wording.sentence(verdict).lower()
    reasons = [reason for reason in verdict.reasons if reason.rstrip(".").lower() not in said]
    if reasons:
        parts += [Text(), *(_bullet(reason) for reason in reasons)]
    path = report_path or _report_of(run)
    if path is not None:
        # not wrapped: a path cut in two can be neither clicked nor copied
        parts += [Text(), Text.assemble(("Report: ", "bold"), str(path), no_wrap=True, overflow="ignore")]
    return Group(*parts)


def _headline(verdict: Verdict) -> str:
    label, words = wording.label_of(verdict), wording.headline(verdict)
    line = f"{wording.SIGNS[label]} {label.upper()}"
    return line if words.lower() == label else f"{line}: {words}"


def _figures(run: Run, verdict: Verdict) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(no_wrap=True, justify="right", style="bold")
    table.add_column(overflow="fold")
    for figure in wording.key_figures(run, verdict):
        table.add_row(Text(figure.label), Text(figure.value), Text(figure.note))
    return table


def _bullet(reason: str) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column(overflow="fold")
    grid.add_row("·", Text(reason))
    return Padding(grid, (0, 0))


def _report_of(run: Run) -> Path | None:
    path = run.path / HTML_NAME
    return path if path.is_file() else None

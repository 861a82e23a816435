"""What follows from a run, on the terminal: notes, the memory limit ready to use, memory by connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from soak.report.plain_table import plain_table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from soak.report.model import ReportModel
    from soak.report.model.tables.advice import CapacityLine, Note
    from soak.report.model.tables.rows import Row


def render_advice(model: ReportModel) -> RenderableType:
    """Return the advice of one run for a terminal of 80 columns."""
    head, advice = model.headline, model.advice
    parts: list[RenderableType] = [Text(f"{head.sign} {head.headline}", style="bold"), Text()]
    parts += [_note(note) for note in advice.notes]
    if advice.limits:
        parts += [Text(), _limits(advice.limits)]
    if advice.capacity:
        parts += [Text(), _capacity(advice.capacity)]
    return Group(*parts)


def _note(note: Note) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column(overflow="fold")
    grid.add_row("·", Text.assemble(note.text, " ", (f"({note.short_source})", "dim")))
    return grid


def _limits(limits: tuple[Row, ...]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for line in limits:
        table.add_row(Text(line.label), Text(line.value))
    return table


def _capacity(lines: tuple[CapacityLine, ...]) -> Table:
    table = plain_table()
    table.add_column("open at once", justify="right")
    table.add_column("memory", justify="right")
    table.add_column("from")
    for line in lines:
        table.add_row(line.open_connections, line.memory, line.basis)
    return table

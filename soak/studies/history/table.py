"""A history for a terminal of 80 columns: the newest runs, and those around a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from soak.analyse.steps import FEWEST
from soak.quantity import format_bytes, format_percent
from soak.report.plain_table import plain_table
from soak.studies.compare.figures import FIGURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from soak.analyse.steps import Step
    from soak.studies.history.runs_over_time import RunHistory

NEWEST = 20
"""Runs that are listed without a step among them."""


def history_parts(history: RunHistory, field: str, steps: Sequence[Step]) -> list[RenderableType]:
    """Return what is printed of a history, one part below the other."""
    count = len(history.entries)
    details = [words for name, words in history.identity.items() if name != "scenario"]
    heading = [
        Text(f"{history.name}: {FIGURES[field].words}, {count} run(s)", style="bold"),
        Text(f"  {'; '.join(details)}", style="dim"),
    ]
    if count < FEWEST:
        return [*heading, Text(f"  too few for a step: {FEWEST} are the least")]
    first = max(0, min([count - NEWEST, *(step.index - 2 for step in steps)]))
    passed_over = [Text(f"  (the first {first} runs are not listed)", style="dim")] if first else []
    found = Text("no step" if not steps else f"{len(steps)} step(s)")
    return [*heading, *passed_over, _table(history, field, steps, first), found, Text()]


def _table(history: RunHistory, field: str, steps: Sequence[Step], first: int) -> Table:
    figure = FIGURES[field]
    table = plain_table()
    table.add_column("started (UTC)", no_wrap=True)
    table.add_column(figure.words, no_wrap=True, justify="right")
    table.add_column("verdict", no_wrap=True)
    table.add_column("step", overflow="fold")
    at = {step.index: step for step in steps}
    for index, (entry, value) in enumerate(zip(history.entries, history.values(field), strict=True)):
        if index >= first:
            step = _step_in_words(history, at[index], field) if index in at else Text()
            started = entry.started_utc[:16].replace("T", " ")
            table.add_row(started, figure.write(value), entry.figures.verdict, step)
    return table


def _step_in_words(history: RunHistory, step: Step, field: str) -> Text:
    rises = step.difference.estimate > 0
    written = format_percent(step.difference.estimate / step.before) if step.before else ""
    size = format_bytes(step.difference.estimate, signed=True) if FIGURES[field].is_memory else written
    lines = [f"{'▲' if rises else '▼'} {size} ({written})", *history.changed_versions(step.index)]
    return Text("\n".join(lines), style="bold red" if rises else "green")

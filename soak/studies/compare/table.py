"""A comparison and a baseline as tables for a terminal of 80 columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.text import Text

from soak.analyse.repeats import mean_with_interval
from soak.report.plain_table import plain_table
from soak.studies.compare.comparing import Change
from soak.studies.compare.figures import figures_to_show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from soak.studies.compare.comparing import Compared
    from soak.studies.compare.comparison import SideComparison
    from soak.studies.compare.side import Side

SHOWN = {Change.BETTER: "better", Change.WORSE: "worse", Change.NOT_SHOWN: "none", Change.UNKNOWN: "–"}
CHANGE_STYLES = {Change.BETTER: "green", Change.WORSE: "bold red"}


def comparison_heading(comparison: SideComparison) -> list[Text]:
    """Return what is compared with what, in what they are unlike, and which versions changed."""
    before, after = comparison.before, comparison.after
    title = f"{after.name} ({len(after.runs)} run(s)) against {before.name} ({len(before.runs)} run(s))"
    return [
        Text(title, style="bold"),
        *(Text(f"! unlike: {line}", style="yellow") for line in comparison.unlike),
        *(
            Text(f"  {name}: {old} → {new}", style="dim")
            for name, (old, new) in comparison.changed_versions().items()
        ),
    ]


def comparison_table(rows: Sequence[Compared]) -> Table:
    """Return a comparison, one figure a line."""
    table = plain_table()
    table.add_column("figure", no_wrap=True)
    table.add_column("before", no_wrap=True, justify="right")
    table.add_column("after", no_wrap=True, justify="right")
    table.add_column("difference (95 %)", overflow="fold")
    table.add_column("shown", no_wrap=True)
    for row in rows:
        shown = Text(SHOWN[row.change], style=CHANGE_STYLES.get(row.change, "dim"))
        table.add_row(row.words, row.before, row.after, row.written, shown)
    return table


def baseline_table(side: Side) -> Table:
    """Return the mean of each figure over the runs of `side`, with its interval when there are several."""
    table = plain_table()
    table.add_column("figure", no_wrap=True)
    table.add_column("mean", no_wrap=True, justify="right")
    table.add_column("95 %, by Student's t over the runs", overflow="fold")
    for name, words, write in figures_to_show():
        mean = mean_with_interval([float(getattr(run, name)) for run in side.runs])
        interval = "" if math.isnan(mean.low) else f"{write(mean.low)} to {write(mean.high)}"
        table.add_row(words, write(mean.estimate), interval)
    return table

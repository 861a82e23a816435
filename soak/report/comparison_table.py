"""Several runs side by side on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from soak.quantity import MISSING
from soak.report.terminal import STYLES

if TYPE_CHECKING:
    from soak.report.model.comparison import Comparison


def comparison_table(compared: Comparison) -> Table:
    """Return the runs as a table for a terminal of 80 columns."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 1, 0), header_style="bold")
    table.add_column("Run", overflow="fold", min_width=12)
    table.add_column("Start → plateau", no_wrap=True)
    table.add_column("After warm-up", no_wrap=True)
    if compared.published_note is not None:
        table.add_column("Published*", no_wrap=True)
        table.caption = f"* {compared.published_note}"
        table.caption_justify = "left"
    for row in compared.rows:
        verdict = Text.assemble((row.name, "bold"), "\n", (f"{row.sign} {row.label}", STYLES[row.label]))
        memory = Text(f"{row.start} → {row.reached}\n{row.growth}, peak {row.peak}")
        each = "" if row.per_connection == MISSING else f"\n{row.per_connection}/connection"
        heard = "" if row.error_rate == MISSING else f"\nCER {row.error_rate}, {row.changed}"
        cells = [verdict, memory, Text(f"{row.per_hour}{each}{heard}")]
        if compared.published_note is not None:
            cells.append(Text(str(row.published or "")))
        table.add_row(*cells)
    return table

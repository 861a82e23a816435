"""The table that a terminal of 80 columns has room for."""

from __future__ import annotations

from rich.table import Table


def plain_table() -> Table:
    """Return a table without rules, two blanks between columns, its heads dim."""
    return Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")

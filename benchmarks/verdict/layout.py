"""Tables: for the terminal and as Markdown, and how numbers are written in them."""

from __future__ import annotations

import math
import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from benchmarks.verdict.rates import Rate

WIDTH = 180
"""Columns printed when the output is no terminal."""


@dataclass(frozen=True)
class Section:
    """One table with its heading."""

    title: str
    """The heading."""
    note: str
    """What the numbers are, in a sentence or two."""
    header: tuple[str, ...]
    """Column names."""
    rows: tuple[tuple[str, ...], ...]
    """Cells, as many in each row as in the header."""


def tell(laid: Sequence[Section], module: str, markdown: Path | None) -> None:
    """Print what a module of ours measured; write it to a file, too, with the command, where one is named."""
    show(laid)
    if markdown is not None:
        command = shlex.join(["python", "-m", module, *sys.argv[1:]])
        markdown.write_text(to_markdown(laid, command=command), encoding="utf-8")


def show(laid: Iterable[Section]) -> None:
    """Print the sections."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    for section in laid:
        console.print(to_rich(section), "")


def to_rich(section: Section) -> Table:
    """Give one section as a table for the terminal."""
    table = Table(title=section.title, caption=section.note, title_justify="left", caption_justify="left")
    for at, name in enumerate(section.header):
        table.add_column(name, justify="left" if at == 0 else "right", no_wrap=at == 0)
    for row in section.rows:
        table.add_row(*row)
    return table


def to_markdown(laid: Iterable[Section], *, command: str) -> str:
    """Give the sections as Markdown, with the command that made them."""
    parts = [
        f"# Verdicts, measured\n\nWritten by `{command}`; the README beside this file says what is measured."
    ]
    for section in laid:
        lines = [f"## {section.title}", "", section.note, "", _line(section.header)]
        lines.append(_line(["---", *["---:"] * (len(section.header) - 1)]))
        lines += [_line(row) for row in section.rows]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def percent(share: float) -> str:
    """Write a share in per cent, a dash for NaN."""
    return "–" if math.isnan(share) else f"{100 * share:.1f}"


def percent_of(rate: Rate) -> str:
    """Write a rate in per cent with its 95 % interval: "97.7 (95.6–98.8)"."""
    if not rate.whole:
        return "–"
    low, high = rate.interval
    return f"{percent(rate.share)} ({percent(low)}–{percent(high)})"


def number(value: float, digits: int) -> str:
    """Write a number, a dash for NaN."""
    return "–" if math.isnan(value) else f"{value:,.{digits}f}"


def kind(*, leaking: bool) -> str:
    """Name the truth."""
    return "leak" if leaking else "healthy"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"

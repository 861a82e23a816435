"""CSV with any of the usual names: exports of Grafana and Locust, spreadsheets, scripts; also with tabs."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from soak.recordings import amounts, names
from soak.recordings.cells import Table
from soak.recordings.clock import STAMP, seconds_of
from soak.recordings.interpreting import interpret
from soak.recordings.recording import Recording, RecordingFormat, UnreadableError

if TYPE_CHECKING:
    from soak.recordings.asked import Asked

SEPARATORS = (";", "\t", ",", "|")
KEYS = {"series", "pod", "container", "name", "instance", "host", "pid", "process", "job", "metric"}
"""Columns whose values tell series apart, where they differ."""
MOSTLY = 0.75
"""Share of the lines that must have as many cells as the first."""
LOCUST = {"timestamp", "user count", "requests/s"}
"""Columns of Locust's history."""


@dataclass(frozen=True)
class CsvTable(RecordingFormat):
    """Cells with commas, semicolons or tabs between them, a header before them or none."""

    name: ClassVar[str] = "csv"
    label: ClassVar[str] = "a CSV"
    example: ClassVar[str] = """\
# host asr-1
Timestamp;RSS_MB;Clients
26.11.2026 10:00:00;300,5;20
26.11.2026 10:00:10;300,7;20
26.11.2026 10:00:20;301,0;20
"""

    def recognise(self, head: str) -> float | None:
        """See lines with as many separators each."""
        lines = _lines(head)[:50]
        separator = _separator(lines)
        if separator is None:
            return None
        header = next(csv.reader([lines[0]], delimiter=separator))
        if any(_is_of_a_log(cell) for cell in header):
            return None
        known = any(names.is_time(name) or names.memory_rank(name) is not None for name in header)
        return 0.85 if known else 0.6

    def read(self, text: str, asked: Asked) -> Recording:
        """Read the table; see `soak.recordings.interpreting` for which column is what."""
        lines = _lines(text)
        separator = _separator(lines[:50])
        if separator is None:
            raise UnreadableError("its lines have no cells")
        first, *rows = [tuple(cell.strip() for cell in row) for row in csv.reader(lines, delimiter=separator)]
        if _is_data(first):
            rows, first = [first, *rows], ("",) * len(first)
        commas = separator != "," and amounts.has_decimal_commas(cell for row in rows for cell in row)
        if {name.lower() for name in first} >= LOCUST and not any(
            names.memory_rank(name) is not None for name in first
        ):
            raise UnreadableError(
                "Locust's history tells the load and no memory: record the server's memory beside it, "
                "such as with psrecord PID --log memory.log"
            )
        rows = [row for row in rows if len(row) > 1]
        return interpret(Table(first, tuple(rows), keys=_keys(first, rows), decimal_commas=commas), asked)


def _keys(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(
        name
        for at, name in enumerate(header)
        if name.lower() in KEYS and len({row[at] for row in rows if at < len(row)}) > 1
    )


def _lines(text: str) -> list[str]:
    """Return the lines that are no comment; a comment that is a header in all but its # stays."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lower().startswith("sep=")]
    comments = [line for line in lines if line.lstrip().startswith("#")]
    rest = [line for line in lines if not line.lstrip().startswith("#")]
    separator = _separator(rest[:50])
    if comments and rest and separator and _is_data(tuple(rest[0].split(separator))):
        header = comments[-1].lstrip("# ")
        if header.count(separator) == rest[0].count(separator):
            return [header, *rest]
    return rest


def _separator(lines: list[str]) -> str | None:
    """Return what stands equally often in nearly every line."""
    for separator in SEPARATORS:
        widths = [len(row) for row in csv.reader(lines, delimiter=separator)]
        wide = sum(width >= widths[0] for width in widths)
        if widths and widths[0] > 1 and wide >= MOSTLY * len(widths):
            return separator
    return None


def _is_of_a_log(cell: str) -> bool:
    """Whether a cell of the first line is a field of a log: a value with its name, a time within words."""
    if re.search(r"[A-Za-z_]\s*[:=](\s*\d|$)", cell):
        return True
    return STAMP.search(cell) is not None and seconds_of([cell.strip()]) is None


def _is_data(cells: tuple[str, ...]) -> bool:
    """Whether a first line holds readings, not names."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    if any((read := amounts.amount(cell)) is not None and read.unit for cell in filled):
        return True
    return bool(filled) and all(
        amounts.amount(cell) is not None or seconds_of([cell]) is not None or not re.search(r"[A-Za-z]", cell)
        for cell in filled
    )

"""The plain shapes that tables of a report are made of: text, not escaped, for any renderer to lay out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A name with its value."""

    label: str
    value: str


@dataclass(frozen=True)
class Section:
    """A titled group of rows."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Course:
    """How one reading went over the run: its first, last and highest value."""

    label: str
    start: str
    end: str
    peak: str

"""Where the rows of a table stand: by the time, by a count of something, or by their number."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from soak.recordings import names
from soak.recordings.clock import EPOCHS, are_epochs, offset, seconds_of
from soak.recordings.recording import Axis, Reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.recordings.asked import Asked
    from soak.recordings.cells import Table

MOSTLY = 0.5
"""Share of a column's cells that must hold the same word for it to be the step's."""
UNIT = "unit"
"""What one step is called of which nothing is known."""
LOOKED_AT = 20
"""Cells of a column without a name that are looked at one by one."""


@dataclass(frozen=True, eq=False)
class Along:
    """Where every row stands."""

    values: NDArray[np.float64]
    """Seconds since the first row, or steps; NaN where a row has none."""
    axis: Axis
    step: str
    """What one step is called; empty on an axis of time."""
    column: int | None
    """Which column says it; None where rows are counted."""


def along_of(table: Table, asked: Asked) -> Along:
    """Say where every row stands: by the time, else by a count, else by its number."""
    count = np.arange(len(table.rows), dtype=np.float64)
    at, known = _time_column(table, asked)
    if at is not None and not _is_bare_count(table, at, known=known):
        seconds = seconds_of(table.cells(at), table.header[at])
        if seconds is not None and asked.every_s is None and asked.per is None:
            return Along(seconds - np.nanmin(seconds), Axis.TIME, "", at)
        if seconds is not None:
            at = None  # what was said outweighs a time that is written
    step = table.step if at is None else _step(table, at)
    if at is not None:
        steps = [offset(cell) for cell in table.cells(at)]
        if all(each is not None for each in steps) and np.all(np.diff(np.array(steps, float)) >= 0):
            return _counted(np.array(steps, float), step, at, asked)
    return _counted(count, step, at, asked)


def _step(table: Table, at: int) -> str:
    """Return what one step of a column of counts is called: by its name, or by the word in its cells."""
    words = [
        found[1] for cell in table.cells(at) if (found := re.search(r"([a-z]{3,})s? \d+$", cell.lower()))
    ]
    if len(words) > MOSTLY * len(table.rows) and len(set(words)) == 1:
        return words[0]
    return names.step_of(table.header[at]) or (UNIT if offset(table.cells(at)[0]) is not None else table.step)


def _counted(steps: NDArray[np.float64], step: str, at: int | None, asked: Asked) -> Along:
    if asked.every_s is not None:
        return Along(steps * asked.every_s, Axis.TIME, "", at)
    return Along(steps, Axis.STEPS, asked.per or step, at)


def _time_column(table: Table, asked: Asked) -> tuple[int | None, bool]:
    """Return the column of the time or of a count, and whether anything says that it is a time."""
    if asked.time is not None:
        return table.find(asked.time, "--time"), True
    if table.time is not None or table.timeless:
        return (None if table.time is None else table.header.index(table.time)), True
    for at, name in enumerate(table.header):
        if names.is_time(name) and any(table.cells(at)):
            return at, True
    for at, name in enumerate(table.header):
        if names.step_of(name) is not None:
            return at, False
    for at in range(len(table.header)):
        cells = [cell for cell in table.cells(at) if cell]
        if cells and (_look_like_times(cells) or (len(table.header) > 1 and are_epochs(cells))):
            return at, True
    return None, False


def _look_like_times(cells: list[str]) -> bool:
    """Whether a column without a name holds times: its first cells, and all of them together."""
    return all(map(_looks_like_time, cells[:LOOKED_AT])) and (
        seconds_of(cells) is not None or offset(cells[0]) is not None
    )


def _looks_like_time(cell: str) -> bool:
    bare = offset(cell) is not None
    return (bare and cell.lower().startswith("t")) or (not bare and seconds_of([cell]) is not None)


def _is_bare_count(table: Table, at: int, *, known: bool) -> bool:
    """Whether a column holds plain counts, such as a training's epochs, and nothing says that it is time."""
    cells = [cell for cell in table.cells(at) if cell]
    counts = [count for cell in cells if (count := offset(cell)) is not None]
    if not known or len(counts) < len(cells):
        return not known
    training = names.plain(table.header[at]) == "epoch" and max(counts) < EPOCHS[-1][0]
    return training or cells[0].lower().startswith("t+")


def starts_anew(where: NDArray[np.float64]) -> bool:
    """Whether time goes back to where it began: several runs stand in one file, one after the other."""
    known = where[np.isfinite(where)]
    back = np.flatnonzero(np.diff(known) < 0)
    near = 0.05 * np.ptp(known) + known.min() if known.size else 0.0
    return bool(back.size) and bool(known[0] <= near and np.all(known[back + 1] <= near))


def runs_of(reading: Reading) -> list[Reading]:
    """Split where time goes back to its begin; a count that goes back begins a run, too."""
    breaks = np.flatnonzero(np.diff(reading.along) < 0) + 1
    if not breaks.size:
        return [reading]
    parts = np.split(np.arange(reading.along.size), breaks)
    return [
        replace(
            reading,
            name=f"{reading.name} run {number}".strip(),
            along=reading.along[part] - reading.along[part[0]],
            memory_bytes=reading.memory_bytes[part],
            open_connections=None if reading.open_connections is None else reading.open_connections[part],
            connections_completed=None
            if reading.connections_completed is None
            else reading.connections_completed[part],
        )
        for number, part in enumerate(parts, 1)
    ]

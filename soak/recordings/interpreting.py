"""From a table of text cells to series: rows apart by process or pod, amounts in bytes, runs one by one."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from soak.recordings import amounts, names
from soak.recordings.axis import UNIT, along_of, runs_of, starts_anew
from soak.recordings.memory_columns import memory_columns
from soak.recordings.recording import Axis, Reading, Recording, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from soak.recordings.amounts import Amount
    from soak.recordings.asked import Asked
    from soak.recordings.axis import Along
    from soak.recordings.cells import Table

MOST_SERIES = 500
"""Series read from one file; of more, those with most memory."""
LONGEST_NAME = 40
"""Signs of a series' name, such as a process's command, that are shown."""
LEAST_READINGS = 2
"""Readings below which a series of many is not told."""


def interpret(table: Table, asked: Asked) -> Recording:
    """Read a table as series. Raises `UnreadableError` where it cannot be seen which column is what."""
    table = _with_date_and_time_joined(table)
    if not table.rows:
        raise UnreadableError("it has a header and no rows")
    along = along_of(table, asked)
    columns = memory_columns(table, asked, along.column)
    groups = _groups(table)
    readings = [
        reading
        for key, rows in groups.items()
        for at in columns
        if (reading := _reading(table, asked, along, at, rows, _series_name(table, key, at, columns)))
        is not None
    ]
    if not readings:
        raise UnreadableError(f"{table.named(columns[0])} holds no amount of memory")
    return Recording(most_told([each for reading in readings for each in runs_of(reading)]))


def _with_date_and_time_joined(table: Table) -> Table:
    """Return the table with date and time of the day in one column, where they stand in two."""
    plain = [names.plain(name) for name in table.header]
    if table.time is not None or not {"date", "time"} <= set(plain):
        return table
    date, time = plain.index("date"), plain.index("time")
    joined = [
        f"{day} {clock}".strip() for day, clock in zip(table.cells(date), table.cells(time), strict=True)
    ]
    rows = tuple((stamp, *row) for stamp, row in zip(joined, table.rows, strict=True))
    return replace(table, header=("datetime", *table.header), rows=rows, time="datetime")


def most_told(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """Return the series worth a verdict: not those of one reading among others, nor of a kernel's thread."""
    held = [each for each in readings if (each.memory_bytes > 0).any()] or list(readings)
    told = [each for each in held if np.isfinite(each.memory_bytes).sum() >= LEAST_READINGS] or held
    if len(told) <= MOST_SERIES:
        return tuple(told)
    largest = set(sorted(range(len(told)), key=lambda at: -np.nanmax(told[at].memory_bytes))[:MOST_SERIES])
    note = f"Of {len(told)} series the {MOST_SERIES} largest are judged."
    kept = [each for at, each in enumerate(told) if at in largest]
    return (replace(kept[0], notes=(*kept[0].notes, note)), *kept[1:])


def _groups(table: Table) -> dict[tuple[str, ...], list[int]]:
    """Return the rows of each process, container or pod, in the order of the file."""
    if not table.keys:
        return {(): list(range(len(table.rows)))}
    at = [table.header.index(key) for key in table.keys]
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, row in enumerate(table.rows):
        groups[tuple(row[each].strip() if each < len(row) else "" for each in at)].append(number)
    return groups


def _series_name(table: Table, key: tuple[str, ...], at: int, columns: list[int]) -> str:
    parts = [*key, *([table.named(at)] if len(columns) > 1 else [])]
    name = " ".join(part for part in parts if part)
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _reading(table: Table, asked: Asked, along: Along, at: int, rows: list[int], name: str) -> Reading | None:
    """Read one column of one group; None where it holds no amount."""
    cells = table.amounts(at)
    known = [each for row in rows if (each := cells[row]) is not None]
    if not known:
        return None
    unit, notes = _unit(table, asked, at, known)
    size = amounts.UNITS
    memory = np.array(
        [np.nan if (each := cells[row]) is None else each.number * size[each.unit or unit] for row in rows]
    )
    where = along.values[rows]
    if along.column is None and table.keys:
        where = np.arange(len(rows), dtype=np.float64) * (asked.every_s or 1.0)
    order = np.flatnonzero(np.isfinite(where))
    if not np.isfinite(memory[order]).any():
        return None
    if along.axis is Axis.TIME and not starts_anew(where):  # newest first, or not in order
        order = order[np.argsort(where[order], kind="stable")]
    return Reading(
        along=where[order],
        memory_bytes=memory[order],
        axis=along.axis,
        name=name,
        step=along.step,
        open_connections=_load(table, names.is_open_connections, rows, order),
        connections_completed=_load(table, names.is_connections_completed, rows, order),
        grain_bytes=amounts.grain_of(known, unit),
        unit=_written_units(known, unit),
        notes=(*table.notes, *notes, *_of_unit(along)),
    )


def _unit(table: Table, asked: Asked, at: int, known: list[Amount]) -> tuple[str, tuple[str, ...]]:
    """Return the unit of cells that have none, and what was supposed."""
    if asked.unit is not None:
        return asked.unit, ()
    told = amounts.unit_in(table.header[at]) or table.unit
    if told is not None or all(each.unit for each in known):
        return told or "B", ()
    supposed = amounts.likely_unit(known)
    if supposed == "B":
        return supposed, ()
    middle = sorted(each.number for each in known)[len(known) // 2]
    note = f"No unit is written: {middle:,.6g} was taken for {supposed}; --unit says another."
    return supposed, (note,)


def _of_unit(along: Along) -> tuple[str, ...]:
    if along.axis is Axis.TIME or along.step != UNIT:
        return ()
    return ("What the readings are in order of is not written: if it is minutes, say --every 1min.",)


def _written_units(known: list[Amount], unit: str) -> str:
    units = dict.fromkeys(each.unit or unit for each in known)
    return " and ".join("bytes" if each == "B" else each for each in units)


def _load(
    table: Table, asks: Callable[[str], bool], rows: list[int], order: NDArray[np.intp]
) -> NDArray[np.float64] | None:
    """Return the first column that `asks` for, as numbers; None where there is none."""
    for at, name in enumerate(table.header):
        if asks(name):
            cells = table.cells(at)
            read = [amounts.number(cells[row]) for row in rows]
            values = np.array([np.nan if each is None else each for each in read])[order]
            return values if np.isfinite(values).any() else None
    return None

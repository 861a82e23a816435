"""From a table of text cells to series: which column is the time, which the memory, in what unit."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from soak.recordings import amounts, names
from soak.recordings.clock import EPOCHS, are_epochs, offset, seconds_of
from soak.recordings.recording import Axis, Reading, Recording, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from soak.recordings.amounts import Amount
    from soak.recordings.asked import Asked

MOSTLY = 0.5
"""Share of a column's filled cells that must be amounts."""
MOST_SERIES = 50
"""Series read from one file; of more, those with most memory."""
UNIT = "unit"
"""What one step is called of which nothing is known."""
LONGEST_NAME = 40
"""Signs of a series' name, such as a process's command, that are shown."""
LEAST_READINGS = 2
"""Readings below which a series of many is not told."""


@dataclass(frozen=True)
class Table:
    """A table as it stands in the file."""

    header: tuple[str, ...]
    """Empty names where the file has none."""
    rows: tuple[tuple[str, ...], ...]
    memory: tuple[str, ...] = ()
    """Names of the columns that hold memory, where the format says it."""
    unit: str | None = None
    """Unit of memory where neither cell nor header has one, where the format says it."""
    time: str | None = None
    """Name of the column that holds the time, where the format says it."""
    keys: tuple[str, ...] = ()
    """Names of the columns that tell series apart, where the format says it."""
    step: str = "reading"
    """What one row is where there is no time."""
    timeless: bool = False
    """Whether the format knows that no column holds the time of a reading."""
    notes: tuple[str, ...] = ()
    decimal_commas: bool = False

    def cells(self, at: int) -> list[str]:
        """Return one column; cells that are missing are empty."""
        return [row[at].strip() if at < len(row) else "" for row in self.rows]

    def named(self, at: int) -> str:
        """Return what a column is called in messages."""
        return self.header[at].strip() or f"column {at + 1}"


@dataclass(frozen=True, eq=False)
class _Along:
    """Where every row stands."""

    values: NDArray[np.float64]
    axis: Axis
    step: str
    column: int | None


def interpret(table: Table, asked: Asked) -> Recording:
    """Read a table as series. Raises `UnreadableError` where it cannot be seen which column is what."""
    table = _with_date_and_time_joined(table)
    if not table.rows:
        raise UnreadableError("it has a header and no rows")
    along = _along(table, asked)
    columns = _memory_columns(table, asked, along.column)
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
    return Recording(most_told([each for reading in readings for each in _runs(reading)]))


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
    held = [each for each in readings if np.nanmax(each.memory_bytes) > 0] or list(readings)
    told = [each for each in held if np.isfinite(each.memory_bytes).sum() >= LEAST_READINGS] or held
    if len(told) <= MOST_SERIES:
        return tuple(told)
    largest = set(sorted(range(len(told)), key=lambda at: -np.nanmax(told[at].memory_bytes))[:MOST_SERIES])
    note = f"Of {len(told)} series the {MOST_SERIES} largest are judged."
    kept = [each for at, each in enumerate(told) if at in largest]
    return (replace(kept[0], notes=(*kept[0].notes, note)), *kept[1:])


def _find(table: Table, asked: str, option: str) -> int:
    """Return the column that an option means: by name, in any case, or by number from 1."""
    for at, name in enumerate(table.header):
        if name.strip().lower() == asked.strip().lower():
            return at
    if asked.isdigit() and 1 <= int(asked) <= len(table.header):
        return int(asked) - 1
    raise UnreadableError(f"{option} {asked}: there is no such column ({_columns(table)})")


def _columns(table: Table) -> str:
    return "columns: " + ", ".join(table.named(at) for at in range(len(table.header))[:12])


def _along(table: Table, asked: Asked) -> _Along:
    """Say where every row stands: by the time, else by a count, else by its number."""
    count = np.arange(len(table.rows), dtype=np.float64)
    at, known = _time_column(table, asked)
    if at is not None and not _is_bare_count(table, at, known=known):
        seconds = seconds_of(table.cells(at), table.header[at])
        if seconds is not None and asked.every_s is None and asked.per is None:
            return _Along(seconds - np.nanmin(seconds), Axis.TIME, "", at)
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


def _counted(steps: NDArray[np.float64], step: str, at: int | None, asked: Asked) -> _Along:
    if asked.every_s is not None:
        return _Along(steps * asked.every_s, Axis.TIME, "", at)
    return _Along(steps, Axis.STEPS, asked.per or step, at)


def _time_column(table: Table, asked: Asked) -> tuple[int | None, bool]:
    """Return the column of the time or of a count, and whether anything says that it is a time."""
    if asked.time is not None:
        return _find(table, asked.time, "--time"), True
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
        if cells and (all(map(_looks_like_time, cells)) or (len(table.header) > 1 and are_epochs(cells))):
            return at, True
    return None, False


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


def _memory_columns(table: Table, asked: Asked, along: int | None) -> list[int]:
    if asked.memory is not None:
        return [_find(table, asked.memory, "--memory")]
    if table.memory:
        return [table.header.index(name) for name in table.memory]
    others = [at for at in range(len(table.header)) if at != along]
    ranked = [(rank, at) for at in others if (rank := names.memory_rank(table.header[at])) is not None]
    ranked = [(rank, at) for rank, at in ranked if _holds_amounts(table, at)]
    if ranked:
        return [min(ranked)[1]]
    amounts_only = [at for at in others if _holds_amounts(table, at) and not _counts_load(table.header[at])]
    with_unit = [at for at in amounts_only if all(each.unit for each in _amounts(table, at) if each)]
    if len(with_unit) == 1:
        return with_unit
    if not any(table.header[at].strip() for at in others):
        return _largest(table, amounts_only)
    pods = [at for at in amounts_only if not names.AGGREGATES.fullmatch(table.header[at].strip())]
    sizes = [at for at in pods if _is_as_large_as_memory(table, at)]
    if along is not None and sizes and len(sizes) == len(pods):
        return sizes
    raise UnreadableError(
        f"no column is known to hold memory ({_columns(table)}): "
        f"say which with --memory {_quoted(table.named(amounts_only[-1] if amounts_only else 0))}"
    )


def _quoted(name: str) -> str:
    return f"'{name}'" if " " in name or not name.isascii() else name


def _counts_load(name: str) -> bool:
    return names.is_open_connections(name) or names.is_connections_completed(name)


def _largest(table: Table, columns: list[int]) -> list[int]:
    """Return the column with the largest amounts: RSS beside what is part of it, or beside counts."""
    if not columns:
        raise UnreadableError("no column holds amounts of memory")
    return [max(columns, key=lambda at: np.median([each.number for each in _amounts(table, at) if each]))]


def _is_as_large_as_memory(table: Table, at: int) -> bool:
    known = [each for each in _amounts(table, at) if each is not None]
    return any(each.unit for each in known) or max(each.number for each in known) >= 1e6


def _amounts(table: Table, at: int) -> list[Amount | None]:
    return [amounts.amount(cell, decimal_commas=table.decimal_commas) for cell in table.cells(at)]


def _holds_amounts(table: Table, at: int) -> bool:
    filled = [cell for cell in table.cells(at) if cell and not _is_no_reading(cell)]
    read = sum(amounts.amount(cell, decimal_commas=table.decimal_commas) is not None for cell in filled)
    return bool(filled) and read >= MOSTLY * len(filled)


def _is_no_reading(cell: str) -> bool:
    return cell.lower() in {"", "null", "nan", "n/a", "na", "none", "-", "undefined", "inf"}


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


def _reading(
    table: Table, asked: Asked, along: _Along, at: int, rows: list[int], name: str
) -> Reading | None:
    """Read one column of one group; None where it holds no amount."""
    cells = _amounts(table, at)
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
    if along.axis is Axis.TIME and not _starts_anew(where):  # newest first, or not in order
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


def _of_unit(along: _Along) -> tuple[str, ...]:
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


def _starts_anew(where: NDArray[np.float64]) -> bool:
    """Whether time goes back to where it began: several runs stand in one file, one after the other."""
    known = where[np.isfinite(where)]
    back = np.flatnonzero(np.diff(known) < 0)
    near = 0.05 * np.ptp(known) + known.min() if known.size else 0.0
    return bool(back.size) and bool(known[0] <= near and np.all(known[back + 1] <= near))


def _runs(reading: Reading) -> list[Reading]:
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

"""Which columns of a table hold the memory of a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from soak.recordings import names
from soak.recordings.recording import UnreadableError

if TYPE_CHECKING:
    from soak.recordings.asked import Asked
    from soak.recordings.cells import Table

MOSTLY = 0.5
"""Share of a column's filled cells that must be amounts."""


def memory_columns(table: Table, asked: Asked, along: int | None) -> list[int]:
    """Return the columns of memory; `along` is that of the time. Raises `UnreadableError` for none."""
    if asked.memory is not None:
        return [table.find(asked.memory, "--memory")]
    if table.memory:
        return [table.header.index(name) for name in table.memory]
    others = [at for at in range(len(table.header)) if at != along]
    ranked = [(rank, at) for at in others if (rank := names.memory_rank(table.header[at])) is not None]
    ranked = [(rank, at) for rank, at in ranked if _holds_amounts(table, at)]
    if ranked:
        return [min(ranked)[1]]
    amounts_only = [at for at in others if _holds_amounts(table, at) and not _counts_load(table.header[at])]
    with_unit = [at for at in amounts_only if all(each.unit for each in table.amounts(at) if each)]
    if len(with_unit) == 1:
        return with_unit
    if not any(table.header[at].strip() for at in others):
        return _largest(table, amounts_only)
    pods = [at for at in amounts_only if not names.AGGREGATES.fullmatch(table.header[at].strip())]
    sizes = [at for at in pods if _is_as_large_as_memory(table, at)]
    if along is not None and sizes and len(sizes) == len(pods):
        return sizes
    raise UnreadableError(
        f"no column is known to hold memory ({table.columns_in_words()}): "
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
    return [max(columns, key=lambda at: np.median([each.number for each in table.amounts(at) if each]))]


def _is_as_large_as_memory(table: Table, at: int) -> bool:
    known = [each for each in table.amounts(at) if each is not None]
    return any(each.unit for each in known) or max(each.number for each in known) >= 1e6


def _holds_amounts(table: Table, at: int) -> bool:
    filled = [cell for cell in table.cells(at) if cell and not _is_no_reading(cell)]
    read = sum(each is not None for each in table.amounts(at))
    return bool(filled) and read >= MOSTLY * len(filled)


def _is_no_reading(cell: str) -> bool:
    return cell.lower() in {"", "null", "nan", "n/a", "na", "none", "-", "undefined", "inf"}

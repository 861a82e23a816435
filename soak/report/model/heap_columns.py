"""Which columns tell of the heap: what the server says of it, or what was read from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from soak.columns import Column, declared

if TYPE_CHECKING:
    from soak.report.model.readings import Readings


class HeapColumns(NamedTuple):
    """The columns of one reading of the heap."""

    in_use: Column
    """What malloc has handed out."""
    free: Column
    """What it keeps for reuse."""


OWN = HeapColumns(declared("server_heap_in_use_bytes"), declared("server_heap_free_bytes"))
"""As the server reports it, at every sample."""
OUTSIDE = HeapColumns(declared("heap_in_use_bytes"), declared("heap_free_bytes"))
"""As it was read from outside, which goes for any server, now and then."""


def heap_columns(readings: Readings) -> HeapColumns:
    """Return what was read from outside, on which the verdict rests, else the server's own report.

    Where the server tells what ONNX Runtime's arenas hold, its own report is told: they are part of it.
    """
    has_arenas = readings.positive("server_arena_held_bytes") is not None
    return OWN if has_arenas or readings.column(OUTSIDE.in_use.name) is None else OUTSIDE

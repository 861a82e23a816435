"""What is advised of a server, as plain data."""

from __future__ import annotations

from typing import Literal, TypedDict


class AdviceNote(TypedDict):
    """One piece of advice in words, and where it comes from."""

    text: str
    source: str


class CapacityRow(TypedDict):
    """How much memory so many connections at once take."""

    open_connections: int
    memory_bytes: int
    basis: Literal["measured", "between", "beyond"]
    """`measured` by the run, on the straight line `between` its start and its peak, or `beyond` it."""


class Advice(TypedDict):
    """Everything advised, JSON-serialisable as it is."""

    memory_limit_bytes: list[int]
    """[low, high]: what to give a container; empty when nothing was read."""
    io_thread_num: int | None
    """ceil(decoder_thread_num / 16); None when the number of decoder threads is not known."""
    model_thread_num: int | None
    """1 on a CPU; None on a GPU."""
    limit_bytes: int | None
    """The memory limit that was asked about."""
    time_to_limit_s: float | None
    """Seconds until that limit (without one, the low advised limit) is reached; None unless climbing."""
    restart_interval_s: float | None
    """Restart at least this often: headroom of a fresh process, divided by the upper end of the growth's
    interval; None where no restart is needed (a plateau) or nothing is known of the growth."""
    capacity: list[CapacityRow]
    """Memory by connections open at once, ascending; empty where that was not recorded, and of a climb, whose
    peak says how long the run was."""
    notes: list[AdviceNote]

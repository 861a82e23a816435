"""What follows from a run, as tables: the memory limit ready to use, memory by connections, the notes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.quantity import format_count, format_level
from soak.report.model.tables.rows import Row

if TYPE_CHECKING:
    from soak.verdict.advice import Advice

MIB = 1024 * 1024
BASIS_IN_WORDS = {
    "measured": "measured: the peak of this run",
    "between": "a straight line from the start to that",
    "beyond": "the same line beyond what was measured",
}
"""Where a row of the capacity table comes from."""


@dataclass(frozen=True)
class CapacityLine:
    """How much memory so many connections at once take, and how that is known; text, not escaped."""

    open_connections: str
    memory: str
    basis: str


@dataclass(frozen=True)
class Note:
    """One piece of advice; text, not escaped."""

    text: str
    source: str
    """What it follows from, in full."""

    @property
    def short_source(self) -> str:
        """The source without its addresses."""
        return self.source.split(", http")[0]


@dataclass(frozen=True)
class AdviceTables:
    """All that is advised."""

    notes: tuple[Note, ...]
    limits: tuple[Row, ...]
    """The memory limit as one sets it in Docker, Kubernetes and systemd; empty where none is advised."""
    capacity: tuple[CapacityLine, ...]
    """Memory by connections open at once."""


def advice_tables(advice: Advice) -> AdviceTables:
    """Return the advice as tables."""
    return AdviceTables(
        notes=tuple(Note(note["text"], note["source"]) for note in advice["notes"]),
        limits=_limits(advice),
        capacity=tuple(
            CapacityLine(
                format_count(row["open_connections"]),
                format_level(row["memory_bytes"]),
                BASIS_IN_WORDS[row["basis"]],
            )
            for row in advice["capacity"]
        ),
    )


def _limits(advice: Advice) -> tuple[Row, ...]:
    limits = advice["memory_limit_bytes"]
    if not limits:
        return ()
    mebibytes = math.ceil(limits[-1] / MIB)
    return (
        Row("Docker", f"docker run --memory={mebibytes}m --memory-swap={mebibytes}m …"),
        Row("Kubernetes", f'resources: {{limits: {{memory: "{mebibytes}Mi"}}}}'),
        Row("systemd", f"MemoryMax={mebibytes}M"),
    )

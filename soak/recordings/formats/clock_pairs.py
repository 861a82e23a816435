"""Pairs of a time of the day and an amount, several a line; a star marks the first after a restart."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from soak.quantity import format_count
from soak.recordings.cells import Table
from soak.recordings.interpreting import interpret
from soak.recordings.recording import Recording, RecordingFormat

if TYPE_CHECKING:
    from soak.recordings.asked import Asked

_PAIR = re.compile(r"(?<!\S)(\d{1,2}:\d{2}(?::\d{2})?)\s+([\d.,]+\s?(?:[kKmMgG]i?[bB]?)?)(\*?)(?!\S)")


@dataclass(frozen=True)
class ClockPairs(RecordingFormat):
    """Notes in columns: ``04:30 1502   08:00 1982``."""

    name: ClassVar[str] = "clock-pairs"
    label: ClassVar[str] = "pairs of time and memory"
    example: ClassVar[str] = """\
04:30 1502   06:00 1305*  07:30 1360
05:00 1741   06:30 1310   08:00 1381
05:30 1836   07:00 1322   08:30 1402
"""

    def recognise(self, head: str) -> float | None:
        """See several pairs in a line and nothing beside them."""
        lines = [line for line in head.splitlines() if line.strip()]
        alone = [line for line in lines if len(_PAIR.findall(line)) > 1 and not _PAIR.sub("", line).strip()]
        return 0.9 if lines and len(alone) > len(lines) / 2 else None

    def read(self, text: str, asked: Asked) -> Recording:
        """Read the pairs in the order of time; of several lives the longest is judged."""
        pairs = sorted(_PAIR.findall(text), key=lambda pair: pair[0].zfill(8))
        starts = [at for at, (_, _, star) in enumerate(pairs) if star]
        bounds = [0, *(at for at in starts if at), len(pairs)]
        first, last = max(pairwise(bounds), key=lambda life: life[1] - life[0])
        rows = tuple((time, memory) for time, memory, _ in pairs[first:last])
        read = interpret(Table(("time", "memory"), rows, ("memory",), None, "time"), asked)
        if not starts:
            return read
        note = (
            f"Restarts are marked at {', '.join(pairs[at][0] for at in starts)}: the longest life, "
            f"{rows[0][0]} to {rows[-1][0]} with {format_count(len(rows))} readings, is judged."
        )
        return Recording(tuple(replace(each, notes=(*each.notes, note)) for each in read.readings))

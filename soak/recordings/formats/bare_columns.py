"""Bare numbers: one a line, or in columns without names."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from soak.recordings import names
from soak.recordings.cells import Table
from soak.recordings.clock import are_epochs
from soak.recordings.interpreting import interpret
from soak.recordings.recording import Recording, RecordingFormat

if TYPE_CHECKING:
    from soak.recordings.asked import Asked

_BARE = re.compile(r"\s*(?:\d[\d.]*(?:[eE][+-]?\d+)?(?:\s?(?:[kKmMgG]i?[bB]?|B|bytes))?\s*)+")


@dataclass(frozen=True)
class BareColumns(RecordingFormat):
    """Numbers and nothing else, or one line of names above them; of several columns the largest is memory."""

    name: ClassVar[str] = "bare-columns"
    label: ClassVar[str] = "bare numbers"
    example: ClassVar[str] = """\
1264.349184
1264.349184
1264.304128
1264.304128
"""

    def recognise(self, head: str) -> float | None:
        """See that nearly every line is numbers, as many each."""
        lines = [line for line in head.splitlines() if line.strip() and not line.startswith("#")]
        bare = [line for line in lines[1:] or lines if _BARE.fullmatch(line)]
        return 0.7 if lines and len(bare) >= 0.9 * len(lines[1:] or lines) else None

    def read(self, text: str, asked: Asked) -> Recording:
        """Read the columns."""
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        rows = [tuple(_cells(line)) for line in lines if _BARE.fullmatch(line)]
        width = max(len(row) for row in rows)
        first = lines[0].split()
        named = not _BARE.fullmatch(lines[0]) and len(first) == width
        header = tuple(first) if named else ("",) * width
        if not named and asked.time is None and width > 1 and are_epochs([row[0] for row in rows]):
            header = ("time", *header[1:])
        read = interpret(Table(header, tuple(rows)), asked)
        if width == 1 or named or asked.memory is not None or any(names.memory_rank(name) for name in header):
            return read
        note = (
            f"Of {width} columns without names the one with the largest numbers was taken; "
            "--memory says another."
        )
        return Recording(tuple(replace(each, notes=(*each.notes, note)) for each in read.readings))


def _cells(line: str) -> list[str]:
    return re.sub(r"(?<=\d)\s(?=[kKmMgGB][a-zA-Z]*\b)", "", line).split()

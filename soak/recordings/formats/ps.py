"""`ps` in a loop: RSS in kB, with the time it was printed at where `date` stands before it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from soak.recordings.tool_output import ToolOutput


@dataclass(frozen=True)
class Ps(ToolOutput):
    """What `while …; do date; ps …; sleep …; done` prints."""

    name: ClassVar[str] = "ps"
    label: ClassVar[str] = "ps's tables"
    example: ClassVar[str] = """\
Thu Nov 26 10:00:00 UTC 2026
USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND
asr         4711 12.0  1.4 912340 81920 ?        Sl   09:58   0:12 asr-server --port 10095
Thu Nov 26 10:01:00 UTC 2026
USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND
asr         4711 12.0  1.4 912340 82000 ?        Sl   09:58   0:15 asr-server --port 10095
"""
    header: ClassVar[re.Pattern[str]] = re.compile(
        r"(?=[A-Z%]).*\b(?:RSS|RSZ)\b(?!.*minflt)(?!.*\b[USP]SS\s+PSS)"
    )
    memory: ClassVar[str] = "RSS|RSZ"
    unit: ClassVar[str | None] = "KB"
    keys: ClassVar[tuple[str, ...]] = ("PID", "COMMAND", "CMD")

    def recognise(self, head: str) -> float | None:
        """See a header of names in capital letters."""
        names = [line.split() for line in head.splitlines() if self.header.match(line.strip())]
        return (
            0.8
            if any(
                all(word == word.upper() and "|" not in word and "," not in word for word in line)
                for line in names
            )
            else None
        )

    def split(self, line: str, width: int) -> list[str] | None:
        """Return the cells; a command may hold blanks."""
        cells = line.split(maxsplit=width - 1)
        return (
            cells
            if (len(cells) == width and any(cell.isdigit() for cell in cells) and not line[:1].isalpha())
            or (len(cells) == width and cells[min(1, width - 1)].isdigit())
            else None
        )

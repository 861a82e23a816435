"""`free` in a loop: the memory in use on a whole machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from soak.recordings.tool_output import ToolOutput

if TYPE_CHECKING:
    from soak.recordings.cells import Table


_HEADER = "total used free shared buff/cache available"
_ROW = re.compile(r"(?:Mem|Swap):(?:\s+[\d.]+[KMGTBi]*){3,6}\s*$")


@dataclass(frozen=True)
class Free(ToolOutput):
    """What `free -s` prints, also with -h."""

    name: ClassVar[str] = "free"
    label: ClassVar[str] = "free's tables of the machine's memory"
    example: ClassVar[str] = """\
               total        used        free      shared  buff/cache   available
Mem:        16384000     7912340     4123000      120000     4348660     8123456
Swap:              0           0           0

               total        used        free      shared  buff/cache   available
Mem:        16384000     7912800     4122540      120000     4348660     8123000
Swap:              0           0           0
"""
    header: ClassVar[re.Pattern[str]] = re.compile(r"total\s+used\s+free")
    memory: ClassVar[str] = "used"
    unit: ClassVar[str | None] = "KB"

    def recognise(self, head: str) -> float | None:
        """See its header, or lines of Mem alone."""
        lines = [line for line in head.splitlines() if line.strip()]
        alone = bool(lines) and all(_ROW.match(line) for line in lines)
        return 0.9 if alone else super().recognise(head)

    def table(self, text: str) -> Table:
        """Return all rows; lines alone get the usual header."""
        headed = any(self.header.match(line.strip()) for line in text.splitlines())
        return super().table(text if headed else f"{_HEADER}\n{text}")

    def split(self, line: str, width: int) -> list[str] | None:
        """Return the numbers of the line of Mem."""
        label, *cells = line.split() or [""]
        return cells if label == "Mem:" and len(cells) == width else None

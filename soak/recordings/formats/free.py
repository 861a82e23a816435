"""`free` in a loop: the memory in use on a whole machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from soak.recordings.tool_output import ToolOutput


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

    def split(self, line: str, width: int) -> list[str] | None:
        """Return the numbers of the line of Mem."""
        label, *cells = line.split() or [""]
        return cells if label == "Mem:" and len(cells) == width else None

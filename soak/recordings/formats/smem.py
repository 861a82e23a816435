"""`smem`: RSS beside PSS and USS in kB; a command with blanks stands in the middle."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from soak.recordings.tool_output import ToolOutput

_ROW = re.compile(
    r"\s*(\d+)\s+(\S+)\s+(.*?)\s+([\d.]+[KMG]?)\s+([\d.]+[KMG]?)\s+([\d.]+[KMG]?)\s+([\d.]+[KMG]?)\s*"
)


@dataclass(frozen=True)
class Smem(ToolOutput):
    """What `smem` prints, also with -k."""

    name: ClassVar[str] = "smem"
    label: ClassVar[str] = "smem's tables"
    example: ClassVar[str] = """\
10:00:00
  PID User     Command                         Swap      USS      PSS      RSS
 4711 asr      asr-server --port 10095            0    71000    75000    81920
10:01:00
  PID User     Command                         Swap      USS      PSS      RSS
 4711 asr      asr-server --port 10095            0    71100    75100    82020
"""
    header: ClassVar[re.Pattern[str]] = re.compile(r"PID\s+User\s+Command\s+Swap\s+USS\s+PSS\s+RSS")
    memory: ClassVar[str] = "RSS"
    unit: ClassVar[str | None] = "KB"
    keys: ClassVar[tuple[str, ...]] = ("PID", "Command")

    def split(self, line: str, width: int) -> list[str] | None:
        """Return the cells; the command is what stands between user and numbers."""
        found = _ROW.fullmatch(line)
        return list(found.groups()) if found and len(found.groups()) == width else None

"""`top -b`: the RES of each process, in KiB or with a letter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from soak.recordings.tool_output import ToolOutput, clean

if TYPE_CHECKING:
    from soak.recordings.cells import Table

_HEADER = "PID USER PR NI VIRT RES SHR S %CPU %MEM TIME+ COMMAND"
_ROW = re.compile(
    r"\s*\d+\s+\S+\s+(?:-?\d+|rt)\s+-?\d+\s+\S+\s+[\d.,]+[mgt]?\s+\S+\s+[RSDZTIt]\s+[\d.,]+\s+[\d.,]+\s+[\d:.,]+\s+\S"
)


@dataclass(frozen=True)
class Top(ToolOutput):
    """What `top -b` prints, also only the lines of one process out of it."""

    name: ClassVar[str] = "top"
    label: ClassVar[str] = "top's lines"
    example: ClassVar[str] = """\
top - 10:00:00 up 3 days,  1:00,  1 user,  load average: 0.50, 0.40, 0.30
    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND
   4711 asr       20   0   28.0g   3.6g   1.2g S 166.7   1.4   1:54.06 asr-server
top - 10:00:03 up 3 days,  1:00,  1 user,  load average: 0.50, 0.40, 0.30
    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND
   4711 asr       20   0   28.0g   3.7g   1.2g S 164.1   1.5   2:18.71 asr-server
"""
    header: ClassVar[re.Pattern[str]] = re.compile(r"PID\s+USER\s.*\bRES\b")
    memory: ClassVar[str] = "RES"
    unit: ClassVar[str | None] = "KB"
    keys: ClassVar[tuple[str, ...]] = ("PID", "COMMAND")

    def recognise(self, head: str) -> float | None:
        """See its header, or lines of its form alone."""
        lines = [line for line in clean(head).splitlines() if line.strip()]
        alone = bool(lines) and sum(bool(_ROW.match(line)) for line in lines[:50]) > len(lines[:50]) / 2
        return 0.9 if alone else super().recognise(head)

    def table(self, text: str) -> Table:
        """Return all rows; lines alone get the usual header."""
        headed = any(self.header.match(line.strip()) for line in clean(text).splitlines())
        return super().table(text if headed else f"{_HEADER}\n{text}")

    def split(self, line: str, width: int) -> list[str] | None:
        """Return the cells; a command may hold blanks."""
        cells = line.split(maxsplit=width - 1)
        return cells if len(cells) == width and cells[0].isdigit() else None

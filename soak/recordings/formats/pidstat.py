"""`pidstat -r`: the RSS of each process in kB, a line each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from soak.recordings.tool_output import ToolOutput


@dataclass(frozen=True)
class Pidstat(ToolOutput):
    """What `pidstat -r` prints, with and without -h."""

    name: ClassVar[str] = "pidstat"
    label: ClassVar[str] = "pidstat's report"
    example: ClassVar[str] = """\
Linux 6.8.0 (asr-1) 	11/26/2026 	_x86_64_	(8 CPU)

10:00:01 AM   UID       PID  minflt/s  majflt/s     VSZ     RSS   %MEM  Command
10:00:11 AM  1000      4711     12.00      0.00 2048000  921600   5.60  asr-server
10:00:21 AM  1000      4711      3.00      0.00 2048000  921856   5.60  asr-server
10:00:31 AM  1000      4711      2.00      0.00 2048000  921860   5.60  asr-server
"""
    header: ClassVar[re.Pattern[str]] = re.compile(r"(?:Time\s+)?(?:UID\s+)?PID\s.*minflt/s.*RSS")
    memory: ClassVar[str] = "RSS"
    unit: ClassVar[str | None] = "KB"
    keys: ClassVar[tuple[str, ...]] = ("PID", "Command")
    row_has_time: ClassVar[bool] = True

    def names(self, header: str) -> list[str]:
        """Return the names behind that of the time."""
        return header.removeprefix("Time").split()

    def split(self, line: str, width: int) -> list[str] | None:
        """Return the cells; a command may hold blanks."""
        cells = line.split(maxsplit=width - 1)
        return cells if len(cells) == width and cells[0].isdigit() else None

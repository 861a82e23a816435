"""`sar -r`: the memory in use on a whole machine, in kB."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from soak.recordings.tool_output import ToolOutput


@dataclass(frozen=True)
class Sar(ToolOutput):
    """What `sar -r` prints."""

    name: ClassVar[str] = "sar"
    label: ClassVar[str] = "sar's report of the machine's memory"
    example: ClassVar[str] = """\
12:00:01 AM kbmemfree   kbavail kbmemused  %memused kbbuffers  kbcached
12:10:01 AM   8123456  12345678   7912340     48.90    123456   4123456
12:20:01 AM   8123000  12345600   7912800     48.90    123456   4123456
12:30:01 AM   8122000  12345000   7913800     48.91    123456   4123456
Average:      8122818  12345426   7912980     48.90    123456   4123456
"""
    header: ClassVar[re.Pattern[str]] = re.compile(r"kbmemfree\s.*kbmemused")
    memory: ClassVar[str] = "kbmemused"
    unit: ClassVar[str | None] = "KB"
    row_has_time: ClassVar[bool] = True

    def split(self, line: str, width: int) -> list[str] | None:
        """Return the numbers of a line."""
        cells = line.split()
        return cells if len(cells) == width and cells[0].isdigit() else None

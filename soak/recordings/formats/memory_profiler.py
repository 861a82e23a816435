"""memory_profiler's output: line by line of a function; what a call ends with is read, call by call."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from soak.recordings.cells import Table
from soak.recordings.interpreting import interpret
from soak.recordings.recording import Recording, RecordingFormat, UnreadableError

if TYPE_CHECKING:
    from soak.recordings.asked import Asked

_HEADER = re.compile(r"^Line #\s+Mem usage\s+Increment", re.MULTILINE)
_LINE = re.compile(r"^\s*\d+\s+([\d.]+\s*[KMG]i?B)\s", re.MULTILINE)


@dataclass(frozen=True)
class MemoryProfiler(RecordingFormat):
    """What `@profile` prints after each call."""

    name: ClassVar[str] = "memory-profiler"
    label: ClassVar[str] = "memory_profiler's output, the last line of each call"
    example: ClassVar[str] = """\
Filename: server.py

Line #    Mem usage    Increment  Occurrences   Line Contents
=============================================================
     3     81.5 MiB     81.5 MiB           1   @profile
     4     83.0 MiB      1.5 MiB           1   def handle(request):
     5     82.0 MiB     -1.0 MiB           1       return decode(request)

Filename: server.py

Line #    Mem usage    Increment  Occurrences   Line Contents
=============================================================
     3     82.0 MiB     82.0 MiB           1   @profile
     4     83.5 MiB      1.5 MiB           1   def handle(request):
     5     82.1 MiB     -1.4 MiB           1       return decode(request)
"""

    def recognise(self, head: str) -> float | None:
        """See its header."""
        return 1.0 if _HEADER.search(head) else None

    def read(self, text: str, asked: Asked) -> Recording:
        """Read the memory at the end of every call."""
        calls = [_LINE.findall(part) for part in _HEADER.split(text)[1:]]
        rows = tuple((lines[-1],) for lines in calls if lines)
        if not rows:
            raise UnreadableError("it has no line with Mem usage")
        return interpret(Table(("Mem usage",), rows, ("Mem usage",), step="call"), asked)

"""psrecord's log: elapsed seconds, CPU, resident and virtual memory in MB."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from soak.recordings.cells import Table
from soak.recordings.interpreting import interpret
from soak.recordings.recording import RecordingFormat

if TYPE_CHECKING:
    from soak.recordings.asked import Asked
    from soak.recordings.recording import Recording


@dataclass(frozen=True)
class Psrecord(RecordingFormat):
    """What `psrecord --log` writes."""

    name: ClassVar[str] = "psrecord"
    label: ClassVar[str] = "psrecord's log"
    example: ClassVar[str] = """\
# Elapsed time   CPU (%)     Real (MB)   Virtual (MB)
       0.000        0.000       81.500      310.200
       1.002       12.000       81.750      310.200
       2.004       11.000       82.000      310.200
"""

    def recognise(self, head: str) -> float | None:
        """See its header."""
        return 1.0 if re.search(r"^#\s*Elapsed time\s+CPU \(%\)\s+Real \(MB\)", head, re.MULTILINE) else None

    def read(self, text: str, asked: Asked) -> Recording:
        """Read the elapsed time and the resident memory."""
        rows = [
            tuple(line.split())
            for line in text.splitlines()
            if line.strip() and not line.lstrip().startswith("#")
        ]
        header = ("Elapsed time", "CPU (%)", "Real (MB)", "Virtual (MB)")
        width = max((len(row) for row in rows), default=0)
        names = (*header, *(f"column {at + 1}" for at in range(len(header), width)))
        return interpret(Table(names, tuple(rows), memory=("Real (MB)",), time="Elapsed time"), asked)

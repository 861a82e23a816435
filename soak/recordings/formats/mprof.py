"""mprof's .dat: memory in MiB with the time of each reading, children, several runs one after the other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from soak.recordings.cells import Table
from soak.recordings.interpreting import interpret
from soak.recordings.recording import Recording, RecordingFormat, UnreadableError

if TYPE_CHECKING:
    from soak.recordings.asked import Asked


@dataclass(frozen=True)
class Mprof(RecordingFormat):
    """What `mprof run` writes."""

    name: ClassVar[str] = "mprof"
    label: ClassVar[str] = "mprof's .dat"
    example: ClassVar[str] = """\
CMDLINE python server.py
MEM 101.500000 1732918840.0
MEM 102.000000 1732918841.0
CHLD 4712 51.250000 1732918841.0
MEM 102.250000 1732918842.0
CHLD 4712 51.500000 1732918842.0
"""

    def recognise(self, head: str) -> float | None:
        """See its lines."""
        return 1.0 if re.search(r"^MEM \d+\.\d+ \d{9,}", head, re.MULTILINE) else None

    def read(self, text: str, asked: Asked) -> Recording:
        """Read each run and each child as a series of its own."""
        rows: list[tuple[str, ...]] = []
        run = 0
        for line in text.splitlines():
            kind, *words = line.split() or [""]
            if kind == "CMDLINE":
                run += 1
            elif kind == "MEM" and len(words) == 2:
                rows.append((words[1], words[0], f"run {max(run, 1)}", ""))
            elif kind == "CHLD" and len(words) == 3:
                rows.append((words[2], words[1], f"run {max(run, 1)}", f"child {words[0]}"))
        if not rows:
            raise UnreadableError("it has no line that begins with MEM")
        several = run > 1
        keys = ("run", "child") if several else ("child",)
        found = [_own_start(rows, row[2]) for row in rows]
        rows = [(f"{float(row[0]) - start:.4f}", *row[1:]) for row, start in zip(rows, found, strict=True)]
        return interpret(
            Table(("seconds", "memory", "run", "child"), tuple(rows), ("memory",), "MB", "seconds", keys),
            asked,
        )


def _own_start(rows: list[tuple[str, ...]], run: str) -> float:
    return next(float(row[0]) for row in rows if row[2] == run)

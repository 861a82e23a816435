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

_READING = re.compile(r"(?:MEM|CHLD (?P<child>\d+)) (?P<memory>\d+(?:\.\d+)?) (?P<stamp>\d+(?:\.\d+)?)")


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
            if line.startswith("CMDLINE"):
                run += 1
            elif (found := _READING.fullmatch(line.strip())) is not None:
                child = f"child {found['child']}" if found["child"] else ""
                rows.append((found["stamp"], found["memory"], f"run {max(run, 1)}", child))
        if not rows:
            raise UnreadableError("it has no line that begins with MEM")
        several = run > 1
        keys = ("run", "child") if several else ("child",)
        begun = {row[2]: float(row[0]) for row in reversed(rows)}
        rows = [(f"{float(row[0]) - begun[row[2]]:.4f}", *row[1:]) for row in rows]
        return interpret(
            Table(("seconds", "memory", "run", "child"), tuple(rows), ("memory",), "MB", "seconds", keys),
            asked,
        )

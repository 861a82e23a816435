"""`kubectl top pod`: memory of each pod, or container, with its unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from soak.recordings.clock import STAMP
from soak.recordings.tool_output import ToolOutput

if TYPE_CHECKING:
    from soak.recordings.cells import Table


_ROW = re.compile(r"\s*[\w.-]+\s+\d+[mn]?\s+\d+[KMG]i\s*")


@dataclass(frozen=True)
class KubectlTop(ToolOutput):
    """What `kubectl top pod` prints, also with --containers and -A."""

    name: ClassVar[str] = "kubectl-top"
    label: ClassVar[str] = "kubectl top's tables"
    example: ClassVar[str] = """\
2026-11-26T10:00:00Z
NAME          CPU(cores)   MEMORY(bytes)
asr-7d4b9-x   120m         812Mi
2026-11-26T10:01:00Z
NAME          CPU(cores)   MEMORY(bytes)
asr-7d4b9-x   118m         813Mi
"""
    header: ClassVar[re.Pattern[str]] = re.compile(r"(?:NAMESPACE\s+)?(?:POD|NAME)\b.*MEMORY\(bytes\)")
    memory: ClassVar[str] = r"MEMORY\(bytes\)"
    keys: ClassVar[tuple[str, ...]] = ("NAMESPACE", "POD", "NAME")

    def recognise(self, head: str) -> float | None:
        """See its header, or lines of pods alone."""
        lines = [line for line in head.splitlines() if line.strip() and not STAMP.match(line)]
        alone = bool(lines) and all(_ROW.fullmatch(line) for line in lines)
        return 0.9 if alone else super().recognise(head)

    def table(self, text: str) -> Table:
        """Return all rows; lines alone get the usual header."""
        headed = any(self.header.match(line.strip()) for line in text.splitlines())
        return super().table(text if headed else f"NAME CPU(cores) MEMORY(bytes)\n{text}")

    def split(self, line: str, width: int) -> list[str] | None:
        """Return the cells."""
        cells = line.split()
        return cells if len(cells) == width else None

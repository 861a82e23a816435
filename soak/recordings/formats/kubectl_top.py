"""`kubectl top pod`: memory of each pod, or container, with its unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from soak.recordings.tool_output import ToolOutput


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

    def split(self, line: str, width: int) -> list[str] | None:
        """Return the cells."""
        cells = line.split()
        return cells if len(cells) == width else None

"""`docker stats`: a table for each look, memory with its unit before the limit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from soak.recordings.tool_output import ToolOutput

_BLANKS = re.compile(r"\s{2,}|\t")


@dataclass(frozen=True)
class DockerStats(ToolOutput):
    """What `docker stats` and `podman stats` print."""

    name: ClassVar[str] = "docker-stats"
    label: ClassVar[str] = "docker stats' tables"
    example: ClassVar[str] = """\
CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT     MEM %     NET I/O         BLOCK I/O   PIDS
0123456789ab   asr       12.00%    300.0MiB / 15.5GiB    1.89%     1.2kB / 648B    0B / 0B     34
CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT     MEM %     NET I/O         BLOCK I/O   PIDS
0123456789ab   asr       11.00%    300.4MiB / 15.5GiB    1.89%     1.3kB / 648B    0B / 0B     34
"""
    header: ClassVar[re.Pattern[str]] = re.compile(r"(?:CONTAINER|ID|NAME)\b.*MEM USAGE / LIMIT")
    memory: ClassVar[str] = "MEM USAGE / LIMIT"
    keys: ClassVar[tuple[str, ...]] = ("NAME", "CONTAINER")

    def names(self, header: str) -> list[str]:
        """Return the names, which hold blanks."""
        return _BLANKS.split(header.strip())

    def split(self, line: str, width: int) -> list[str] | None:
        """Return the cells, which hold blanks."""
        cells = _BLANKS.split(line.strip())
        return cells if len(cells) == width else None

"""A Markdown table, as in reports and issues."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from soak.recordings.cells import Table
from soak.recordings.interpreting import interpret
from soak.recordings.recording import Recording, RecordingFormat, UnreadableError

if TYPE_CHECKING:
    from soak.recordings.asked import Asked

_RULE = re.compile(r"^\s*\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?\s*)?$", re.MULTILINE)


@dataclass(frozen=True)
class MarkdownTable(RecordingFormat):
    """The first table of a Markdown text."""

    name: ClassVar[str] = "markdown"
    label: ClassVar[str] = "a Markdown table"
    example: ClassVar[str] = """\
| time | RSS (MB) | clients |
|---|---:|---:|
| 0 min | 221 | 10 |
| 5 min | 223 | 10 |
| 10 min | 224 | 10 |
"""

    def recognise(self, head: str) -> float | None:
        """See the line under a header."""
        return 0.9 if _RULE.search(head) else None

    def read(self, text: str, asked: Asked) -> Recording:
        """Read the table under the first such line."""
        lines = text.splitlines()
        at = next((at for at, line in enumerate(lines) if at and _RULE.match(line)), None)
        if at is None:
            raise UnreadableError("its table has no header")
        rows = []
        for line in lines[at + 1 :]:
            if "|" not in line:
                break
            rows.append(_cells(line))
        return interpret(Table(_cells(lines[at - 1]), tuple(rows)), asked)


def _cells(line: str) -> tuple[str, ...]:
    return tuple(
        cell.strip().strip("*`") for cell in line.strip().removeprefix("|").removesuffix("|").split("|")
    )

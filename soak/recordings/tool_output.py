"""What tools print again and again: a header, a row for each process or container, and the same once more."""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from soak.recordings.cells import Table
from soak.recordings.clock import STAMP
from soak.recordings.interpreting import interpret
from soak.recordings.recording import RecordingFormat, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from soak.recordings.asked import Asked
    from soak.recordings.recording import Recording

TIME = "time"
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LEADING_TIME = re.compile(rf"\s*#?\s*({STAMP.pattern})\s+")


def clean(text: str) -> str:
    """Return text without the codes with which a terminal is cleared and coloured."""
    return _ESCAPES.sub("", text)


@dataclass(frozen=True)
class ToolOutput(RecordingFormat):
    """A tool that prints tables with a header of known names; a time before a row or a table is its time."""

    header: ClassVar[re.Pattern[str]]
    """Matches the header, from its first name on."""
    memory: ClassVar[str]
    """The column that is read."""
    unit: ClassVar[str | None] = None
    """Its unit where none is written."""
    keys: ClassVar[tuple[str, ...]] = ()
    """Columns that tell series apart, where the header has them."""
    row_has_time: ClassVar[bool] = False
    """Whether each row begins with its time."""
    step: ClassVar[str] = "reading"

    def recognise(self, head: str) -> float | None:
        """See whether the header stands in it."""
        return 0.95 if any(self._header(line) for line in clean(head).splitlines()) else None

    def read(self, text: str, asked: Asked) -> Recording:
        """Read every table of the text."""
        return interpret(self.table(text), asked)

    @abstractmethod
    def split(self, line: str, width: int) -> list[str] | None:
        """Return the cells of a row, None for a line that is none; `width` is that of the header."""

    def table(self, text: str) -> Table:
        """Return all rows under one header, each with the time it was printed at."""
        header: list[str] | None = None
        rows = []
        for found, cells in self._lines(text):
            if isinstance(cells, list):
                rows.append((found, *cells))
            else:
                header = header or cells.split("\0")
        if header is None or not rows:
            raise UnreadableError(f"it has no rows under {self.memory}")
        timed = any(row[0] for row in rows)
        return Table(
            header=(TIME, *header),
            rows=tuple(rows),
            memory=(next(name for name in header if re.fullmatch(self.memory, name)),),
            unit=self.unit,
            time=TIME if timed else None,
            keys=tuple(name for name in header if name in self.keys),
            step=self.step,
            timeless=not timed,
        )

    def names(self, header: str) -> list[str]:
        """Return the names of a header line."""
        return header.split()

    def _lines(self, text: str) -> Iterator[tuple[str, list[str] | str]]:
        """Yield the time and the cells of every row; of the header its names, joined by NUL."""
        width, stamp = 0, ""
        for line in clean(text).splitlines():
            header = self._header(line)
            if header is not None:
                names = self.names(header)
                width = len(names)
                yield "", "\0".join(names)
                continue
            timed = _LEADING_TIME.match(line) if self.row_has_time else None
            cells = self.split(line[timed.end() :] if timed else line, width) if width else None
            if cells is not None and (timed or not self.row_has_time):
                yield timed[1] if timed else stamp, cells
            elif (found := STAMP.search(line)) is not None:
                stamp = found[0]

    def _header(self, line: str) -> str | None:
        bare = line.strip()
        if self.row_has_time:
            bare = _LEADING_TIME.sub("", f"{bare} ").removeprefix("#").strip()
        found = self.header.match(bare)
        return None if found is None else bare

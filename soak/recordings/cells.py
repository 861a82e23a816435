"""A table of text cells, as it stands in a file."""

from __future__ import annotations

from dataclasses import dataclass, field

from soak.recordings.amounts import Amount, amount
from soak.recordings.recording import UnreadableError


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it stands in the file."""

    header: tuple[str, ...]
    """Empty names where the file has none."""
    rows: tuple[tuple[str, ...], ...]
    memory: tuple[str, ...] = ()
    """Names of the columns that hold memory, where the format says it."""
    unit: str | None = None
    """Unit of memory where neither cell nor header has one, where the format says it."""
    time: str | None = None
    """Name of the column that holds the time, where the format says it."""
    keys: tuple[str, ...] = ()
    """Names of the columns that tell series apart, where the format says it."""
    step: str = "reading"
    """What one row is where there is no time."""
    timeless: bool = False
    """Whether the format knows that no column holds the time of a reading."""
    notes: tuple[str, ...] = ()
    decimal_commas: bool = False
    _read: dict[int, list[Amount | None]] = field(default_factory=dict, init=False, repr=False)
    """The columns that were read as amounts."""

    def cells(self, at: int) -> list[str]:
        """Return one column; cells that are missing are empty."""
        return [row[at].strip() if at < len(row) else "" for row in self.rows]

    def named(self, at: int) -> str:
        """Return what a column is called in messages."""
        return self.header[at].strip() or f"column {at + 1}"

    def amounts(self, at: int) -> list[Amount | None]:
        """Return one column as amounts of memory; None for a cell that is none."""
        if at not in self._read:
            self._read[at] = [amount(cell, decimal_commas=self.decimal_commas) for cell in self.cells(at)]
        return self._read[at]

    def find(self, asked: str, option: str) -> int:
        """Return the column that `option` means: by name, in any case, or by number from 1.

        Raises `UnreadableError` for none.
        """
        for at, name in enumerate(self.header):
            if name.strip().lower() == asked.strip().lower():
                return at
        if asked.isdigit() and 1 <= int(asked) <= len(self.header):
            return int(asked) - 1
        raise UnreadableError(f"{option} {asked}: there is no such column ({self.columns_in_words()})")

    def columns_in_words(self) -> str:
        """Return the names of the first columns."""
        return "columns: " + ", ".join(self.named(at) for at in range(len(self.header))[:12])

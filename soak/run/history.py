"""What the live view and the provisional verdict remember of a run, in bounded memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse import Series
from soak.columns import declarations
from soak.verdict.quantities import JUDGED_COUNTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

CAPACITY = 20_000
"""Rows kept; at one sample a second the thinning begins after five and a half hours."""
FIELDS = tuple(
    each.name
    for each in declarations(
        *("t_s", "rss_bytes", "connections_completed", "open_connections", "swap_bytes", "audio_s"),
        "heap_in_use_bytes",
        *JUDGED_COUNTS,
    )
)


class History:
    """The newest rows of a run, thinned evenly when they no longer fit.

    Holds at most `CAPACITY` rows however long the run is; the full record is on disk.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Begin empty."""
        self._numbers = np.full((capacity, len(FIELDS)), np.nan)
        self._phases = np.full(capacity, "", dtype="<U10")
        self._length = 0
        self._keep_every = 1
        self._offered = 0

    def __len__(self) -> int:
        """Return the number of rows kept."""
        return self._length

    def append(self, row: dict[str, float | int | str | None]) -> None:
        """Offer one row of `samples.csv`."""
        self._offered += 1
        if self._offered % self._keep_every:
            return
        if self._length == len(self._numbers):
            self._halve()
            if self._offered % self._keep_every:
                return
        self._numbers[self._length] = [_number(row.get(field)) for field in FIELDS]
        self._phases[self._length] = str(row.get("phase") or "")
        self._length += 1

    def series(self) -> Series:
        """Return a copy of the rows for the judge."""
        numbers = self._numbers[: self._length].copy()
        columns = dict(zip(FIELDS, numbers.T, strict=True))
        return Series(
            t_s=columns["t_s"],
            values=columns["rss_bytes"],
            connections_completed=columns["connections_completed"],
            open_connections=columns["open_connections"],
            phase=self._phases[: self._length].copy(),
            swap_bytes=columns["swap_bytes"],
            audio_s=columns["audio_s"],
        )

    def counts(self) -> dict[str, NDArray[np.float64]]:
        """Return a copy of what is counted beside memory, by column; NaN where it was not read."""
        return {name: self._numbers[: self._length, FIELDS.index(name)].copy() for name in JUDGED_COUNTS}

    def heap_was_read(self) -> bool:
        """Return whether heap in use was ever read from outside."""
        heap = self._numbers[: self._length, FIELDS.index("heap_in_use_bytes")]
        return bool(np.isfinite(heap).any())

    def recent_rss_bytes(self, points: int) -> list[float]:
        """Return the course of RSS over the whole run in at most `points` values, oldest first."""
        rss = self._numbers[: self._length, FIELDS.index("rss_bytes")]
        known = rss[np.isfinite(rss)]
        if len(known) <= points:
            return [float(value) for value in known]
        return [float(part.mean()) for part in np.array_split(known, points)]

    def _halve(self) -> None:
        half = self._numbers[1 : self._length : 2]
        self._phases[: len(half)] = self._phases[1 : self._length : 2]
        self._numbers[: len(half)] = half
        self._length = len(half)
        self._keep_every *= 2


def _number(value: float | str | None) -> float:
    return value if isinstance(value, int | float) else math.nan

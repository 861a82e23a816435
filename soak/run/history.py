"""What the live view remembers of a run, in bounded memory."""

from __future__ import annotations

import numpy as np

CAPACITY = 20_000
"""Readings kept; at one sample a second the thinning begins after five and a half hours."""


class History:
    """RSS over a run, thinned evenly when it no longer fits.

    Holds at most `CAPACITY` readings however long the run is; the full record is on disk.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Begin empty."""
        self._rss_bytes = np.full(capacity, np.nan)
        self._length = 0
        self._keep_every = 1
        self._offered = 0

    def __len__(self) -> int:
        """Return the number of readings kept."""
        return self._length

    def append(self, row: dict[str, float | int | str | None]) -> None:
        """Offer one row of `samples.csv`; a reading that failed is not kept."""
        rss_bytes = row.get("rss_bytes")
        if not isinstance(rss_bytes, int | float):
            return
        self._offered += 1
        if self._offered % self._keep_every:
            return
        if self._length == self._rss_bytes.size:
            self._halve()
            if self._offered % self._keep_every:
                return
        self._rss_bytes[self._length] = rss_bytes
        self._length += 1

    def recent_rss_bytes(self, points: int) -> list[float]:
        """Return the course of RSS over the whole run in at most `points` values, oldest first."""
        known = self._rss_bytes[: self._length]
        if len(known) <= points:
            return [float(value) for value in known]
        return [float(part.mean()) for part in np.array_split(known, points)]

    def _halve(self) -> None:
        half = self._rss_bytes[1 : self._length : 2].copy()
        self._rss_bytes[: len(half)] = half
        self._length = len(half)
        self._keep_every *= 2

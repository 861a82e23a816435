"""What is judged: one series of readings, with the load beside it where it was recorded."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from soak.verdict.quantities import Quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Chosen = slice | NDArray[np.intp] | NDArray[np.bool_]

Scalar = TypeVar("Scalar", bound=np.generic)

LARGEST_READING = 1e18
"""An exabyte, or thirty billion years: beyond it a number is a mistake."""


@dataclass(frozen=True, eq=False)
class Series:
    """Readings of one quantity in the order they were taken; NaN is a reading that failed (a gap).

    All arrays are one-dimensional and of one length. Time must not go backwards; readings that share a
    time are merged by the judge. Raises ValueError, in one line, when the arrays cannot be a series.
    """

    t_s: NDArray[np.float64]
    """Seconds on a monotonic clock."""
    values: NDArray[np.float64]
    """What was read, in the unit of the quantity: of memory the resident set size."""
    connections_completed: NDArray[np.float64] | None = None
    """Connections opened and closed again since the start (a counter)."""
    open_connections: NDArray[np.float64] | None = None
    """Connections open at the moment of the reading."""
    phase: NDArray[np.str_] | None = None
    """What the load was doing: "load", "rest", …; only "rest" matters here."""
    swap_bytes: NDArray[np.float64] | None = None
    """Swapped out pages of the same process, added to RSS."""
    audio_s: NDArray[np.float64] | None = None
    """Seconds of audio streamed since the start (a counter)."""
    quantity: Quantity = Quantity.MEMORY
    """What was read."""

    def __post_init__(self) -> None:
        """Check the shapes and the clock, and bring every number to float64."""
        numeric = (
            "t_s",
            "values",
            "connections_completed",
            "open_connections",
            "swap_bytes",
            "audio_s",
        )
        for name in numeric:
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, _as_floats(self._column(name), given))
        if self.phase is not None:
            object.__setattr__(self, "phase", np.asarray(self.phase, dtype=np.str_))
        for name in (*numeric, "phase"):
            array = getattr(self, name)
            if array is not None and array.shape != self.t_s.shape:
                found = f"{self._column(name)} has {array.size} readings"
                raise ValueError(f"{found} where t_s has {self.t_s.size}")
        _check_clock(self.t_s)

    def _column(self, name: str) -> str:
        """Return what a field is called in `samples.csv`."""
        if name != "values":
            return name
        return "rss_bytes" if self.quantity is Quantity.MEMORY else str(self.quantity)

    def part(self, chosen: Chosen) -> Series:
        """Return some of the readings."""
        columns: dict[str, Any] = {
            field.name: part_of(getattr(self, field.name), chosen)
            for field in fields(self)
            if field.name != "quantity"
        }
        return replace(self, **columns)


def part_of(column: NDArray[Scalar] | None, chosen: Chosen) -> NDArray[Scalar] | None:
    """Return some entries of a column; None where there is no such column."""
    return None if column is None else column[chosen]


def _as_floats(name: str, given: NDArray[np.float64]) -> NDArray[np.float64]:
    try:
        array = np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} holds something that is not a number") from None
    if array.ndim != 1:
        raise ValueError(f"{name} must be one column of numbers, not {array.ndim}-dimensional")
    array[~np.isfinite(array)] = np.nan
    far = array[np.abs(array) > LARGEST_READING]
    if far.size:
        raise ValueError(f"{name} holds {far[0]:g}, which is no possible reading")
    return array


def _check_clock(t_s: NDArray[np.float64]) -> None:
    stamped = np.flatnonzero(np.isfinite(t_s))
    backwards = np.flatnonzero(np.diff(t_s[stamped]) < 0)
    if backwards.size:
        at = stamped[backwards[0] + 1]
        before = t_s[stamped[backwards[0]]]
        raise ValueError(f"time goes backwards at reading {at + 1}: {t_s[at]:g} s comes after {before:g} s")

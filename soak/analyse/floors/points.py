"""Which points are judged: at most 128 floors, of the quiet readings where there are any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

import numpy as np

from soak.verdict.verdict import Basis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse.floors.lives import Readings

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]

MOST_POINTS = 128
"""A longer series is judged by as many bins of equally many readings; a shorter one reading by reading."""
FLOOR_QUANTILE = 0.25
"""Quantile of a bin's readings taken as its floor: low against spikes and saw-teeth, yet not the minimum,
whose expectation falls with the number of readings."""
MAD_TO_DEVIATION = 1.4826
"""Standard deviation per median absolute deviation of a normal distribution."""
ROUNDING = 1e-9
"""Means of equal numbers differ by less than this share of them."""
LOAD_T_VALUE = 4.0
"""Open connections explain memory when their coefficient is this many standard errors above zero."""
LEAST_FOR_LOAD = 12
"""Points below which what a connection weighs is not looked for."""


@dataclass(frozen=True, eq=False)
class Points:
    """The floors, oldest first, with what lies above them; times rise strictly."""

    t_s: Floats
    values: Floats
    """The floor of each bin, in the unit of the series; at the typical number of open connections."""
    middle: Floats
    """The median of each bin."""
    highest: Floats
    """The highest reading of each bin."""
    at_rest: NDArray[np.bool_]
    """Whether the floor is of readings in quiet windows."""
    connections: Floats | None
    """Connections completed by then; None when there is no counter that moves."""
    audio_s: Floats | None
    """Seconds of audio streamed by then; None when there is no counter that moves."""
    open_connections: Floats | None
    """Connections open at each point; None where that is not recorded or does not change."""
    readings: int
    """How many readings the points are of."""
    windows: int
    """Quiet windows among them."""
    per_open_connection: float = 0.0
    """What the load's own swing was worth, already taken out of the values."""

    @property
    def basis(self) -> Basis:
        """Which readings the points mostly are of."""
        return Basis.REST_WINDOWS if self.at_rest.any() else Basis.LOAD_ENVELOPE

    @property
    def level(self) -> float:
        """Typical value over the later half of the points."""
        return float(np.median(self.values[self.values.size // 2 :]))

    @property
    def length_s(self) -> float:
        """From the first to the last point."""
        return float(self.t_s[-1] - self.t_s[0])

    @property
    def work_done(self) -> Floats:
        """The share of the work that is done at each point: of the connections, else of the time."""
        return share_done(self.t_s if self.connections is None else self.connections)


def share_done(axis: Floats) -> Floats:
    """Return how much of an axis that rises is behind each point, from 0 to 1; 0 where it does not rise."""
    span = float(axis[-1] - axis[0])
    return (axis - axis[0]) / span if span > 0 else np.zeros_like(axis)


def points_of(life: Readings) -> Points:
    """Return the points of one life: each reading, or the floors of `MOST_POINTS` bins.

    In a bin that holds readings of a quiet window these alone are taken: under load, memory also shows who is
    connected.
    """
    count = min(MOST_POINTS, life.t_s.size)
    edges = np.linspace(0, life.t_s.size, count + 1).astype(np.intp)
    floor, middle, highest = _heights(life.memory_bytes, life.at_rest, edges)
    t_s = _means(life.t_s, edges)
    opened = _moving(life.open_connections, edges)
    worth = 0.0
    if opened is not None:
        worth = per_open_connection(t_s, floor, opened)
        taken = worth * (opened - np.median(opened))
        floor, middle, highest = floor - taken, middle - taken, highest - taken
    return Points(
        t_s=t_s,
        values=floor,
        middle=middle,
        highest=highest,
        at_rest=np.logical_or.reduceat(life.at_rest, edges[:-1]) if count else np.zeros(0, dtype=bool),
        connections=_moving(life.connections, edges),
        audio_s=_moving(life.audio_s, edges),
        open_connections=opened,
        readings=life.t_s.size,
        windows=len(runs(life.at_rest)),
        per_open_connection=worth,
    )


def _heights(values: Floats, at_rest: NDArray[np.bool_], edges: Indices) -> tuple[Floats, Floats, Floats]:
    """Return low quantile, median and highest reading of each bin, of the quiet ones where it has any."""
    counts = np.diff(edges)
    if not at_rest.any() and counts.size and counts.max() == 1:
        return values, values, values
    widest = int(counts.max()) if counts.size else 0
    index = edges[:-1, None] + np.arange(widest)
    inside = np.arange(widest) < counts[:, None]
    index = np.minimum(index, values.size - 1)
    if at_rest.any():
        quiet = at_rest[index] & inside
        some = quiet.any(axis=1)
        inside[some] = quiet[some]
        counts = inside.sum(axis=1)
    ordered = np.sort(np.where(inside, values[index], np.inf), axis=1)
    row = np.arange(counts.size)
    return (
        ordered[row, (FLOOR_QUANTILE * (counts - 1)).astype(np.intp)],
        ordered[row, (counts - 1) // 2],
        ordered[row, counts - 1],
    )


def _means(column: Floats, edges: Indices) -> Floats:
    if edges.size - 1 == column.size:
        return column
    sums: Floats = np.add.reduceat(column, edges[:-1])
    return sums / np.diff(edges)


def _moving(column: Floats | None, edges: Indices) -> Floats | None:
    """Return a column's mean in each bin; None where it does not move between them."""
    if column is None or edges.size < 2:
        return None
    means = _means(column, edges)
    return means if moves(means) else None


def moves(counter: Floats | None) -> TypeGuard[Floats]:
    """Tell whether a counter is there and moves by more than the rounding of its means."""
    return counter is not None and bool(np.ptp(counter) > ROUNDING * np.abs(counter).max())


def per_open_connection(t_s: Floats, values: Floats, opened: Floats) -> float:
    """Return what one open connection weighs, or 0 when the data does not show it.

    Least squares beside a line and two warm-up shapes, so that load which ramps up while the server warms
    is not credited with the warm-up.
    """
    if t_s.size < LEAST_FOR_LOAD:
        return 0.0
    clock = share_done(t_s)
    load = (opened - opened.mean()) / np.std(opened)
    design = np.column_stack([np.ones_like(clock), clock, np.exp(-5.0 * clock), np.exp(-25.0 * clock), load])
    inverse = np.linalg.pinv(design.T @ design)
    coefficients = inverse @ (design.T @ values)
    residuals = values - design @ coefficients
    variance = float(residuals @ residuals) / (t_s.size - design.shape[1]) * inverse[-1, -1]
    if coefficients[-1] <= LOAD_T_VALUE * np.sqrt(max(variance, 0.0)):
        return 0.0
    return float(coefficients[-1] / np.std(opened))


def runs(flags: NDArray[np.bool_]) -> list[Indices]:
    """Return the index ranges of contiguous true flags."""
    chosen = np.flatnonzero(flags)
    if not chosen.size:
        return []
    return np.split(chosen, np.flatnonzero(np.diff(chosen) > 1) + 1)

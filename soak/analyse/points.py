"""Which points are judged: the floors of the rest windows, else the lower envelope of the load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.verdict import Basis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse.lives import Readings
    from soak.analyse.settings import JudgeSettings

SPIKE_SPREAD = 6.0
"""A lone point this many typical deviations from both neighbours is a spike."""
TROUGH_WIDTHS = (2, 3, 4, 6, 8, 12)
"""Points a stretch may hold when only its lowest is judged."""
TROUGH_GAIN = 0.6
"""Troughs must bring the line's error below this share of what all points give; noise alone does not."""
LOAD_T_VALUE = 4.0
"""Open connections explain memory when their coefficient is this many standard errors above zero."""


@dataclass(frozen=True, eq=False)
class Points:
    """The floors, oldest first; times rise strictly."""

    t_s: NDArray[np.float64]
    memory_bytes: NDArray[np.float64]
    connections: NDArray[np.float64] | None
    """Connections completed by then; None when there is no counter that moves."""
    basis: Basis
    windows: int
    """Rest windows seen, used or not."""
    bytes_per_open_connection: float = 0.0
    """What the load's own swing was worth, already taken out of `memory_bytes`."""


def floors(life: Readings, settings: JudgeSettings) -> Points:
    """Return the points of one life: rest window floors where there are any, else the load's envelope.

    A run with rest windows waits for enough of them: under load, memory also shows who is connected.
    """
    windows = _runs(life.at_rest)
    if windows:
        t_s, memory, connections, _ = _summaries(life, windows, settings.floor_quantile)
        return Points(
            t_s, without_spikes(memory, settings.page_bytes), connections, Basis.REST_WINDOWS, len(windows)
        )
    groups = _bins(life.t_s, settings)
    t_s, memory, connections, opened = _summaries(life, groups, settings.floor_quantile)
    worth = 0.0
    if opened is not None and np.ptp(opened) > 0:
        worth = bytes_per_open_connection(t_s, memory, opened)
        memory = memory - worth * (opened - np.median(opened))
    memory = without_spikes(memory, settings.page_bytes)
    chosen = troughs(t_s, memory, settings.min_troughs)
    connections = None if connections is None else connections[chosen]
    return Points(t_s[chosen], memory[chosen], connections, Basis.LOAD_ENVELOPE, len(windows), worth)


def troughs(t_s: NDArray[np.float64], memory: NDArray[np.float64], least: int) -> NDArray[np.intp]:
    """Return the indices of the points to judge: all, or one low point per stretch under a saw-tooth.

    Troughs are taken when they are so much steadier that a line through the few is better known than a line
    through all; at least `least` remain. Garbage collection and delayed frees make such saw-teeth.
    """
    best = np.arange(memory.size)
    best_error = TROUGH_GAIN * _line_error(t_s, memory)
    for width in TROUGH_WIDTHS:
        count = memory.size // width
        if count < least:
            break
        # the oldest points that fill no whole stretch are left out: they are warm-up
        first = memory.size - count * width
        lowest = np.argmin(memory[first:].reshape(count, width), axis=1)
        chosen = first + np.arange(count) * width + lowest
        error = _line_error(t_s[chosen], memory[chosen])
        if error < best_error:
            best, best_error = chosen, error
    return best


def _line_error(t_s: NDArray[np.float64], memory: NDArray[np.float64]) -> float:
    """Return how badly a line through these points is known: their spread about a warm-up over √points."""
    if t_s.size < 8:
        return float("inf")
    design = _trend_shapes(t_s)
    residuals: NDArray[np.float64] = memory - design @ (np.linalg.pinv(design) @ memory)
    return float(np.std(residuals) / np.sqrt(t_s.size))


def _trend_shapes(t_s: NDArray[np.float64]) -> NDArray[np.float64]:
    clock = (t_s - t_s[0]) / max(float(t_s[-1] - t_s[0]), 1e-9)
    shapes: NDArray[np.float64] = np.column_stack(
        [np.ones_like(clock), clock, np.exp(-5.0 * clock), np.exp(-25.0 * clock)]
    )
    return shapes


def without_spikes(memory: NDArray[np.float64], page_bytes: float) -> NDArray[np.float64]:
    """Replace lone points far from both neighbours by the nearer one; steps and ramps stay as they are."""
    if memory.size < 5:
        return memory
    middle = np.median(np.stack([memory[:-2], memory[1:-1], memory[2:]]), axis=0)
    away = np.abs(memory[1:-1] - middle)
    limit = SPIKE_SPREAD * float(np.quantile(away, 0.8)) + page_bytes
    out = memory.copy()
    out[1:-1] = np.where(away > limit, middle, memory[1:-1])
    return out


def bytes_per_open_connection(
    t_s: NDArray[np.float64], memory: NDArray[np.float64], opened: NDArray[np.float64]
) -> float:
    """Return what one open connection weighs, or 0 when the data does not show it.

    Least squares beside a line and two warm-up shapes, so that load which ramps up while the server warms
    is not credited with the warm-up.
    """
    if t_s.size < 12:
        return 0.0
    load = (opened - opened.mean()) / np.std(opened)
    design = np.column_stack([_trend_shapes(t_s), load])
    inverse = np.linalg.pinv(design.T @ design)
    coefficients = inverse @ (design.T @ memory)
    residuals = memory - design @ coefficients
    variance = float(residuals @ residuals) / (t_s.size - design.shape[1]) * inverse[-1, -1]
    if coefficients[-1] <= LOAD_T_VALUE * np.sqrt(max(variance, 0.0)):
        return 0.0
    return float(coefficients[-1] / np.std(opened))


def _runs(flags: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Return the index ranges of contiguous true flags."""
    chosen = np.flatnonzero(flags)
    if not chosen.size:
        return []
    return np.split(chosen, np.flatnonzero(np.diff(chosen) > 1) + 1)


def _bins(t_s: NDArray[np.float64], settings: JudgeSettings) -> list[NDArray[np.intp]]:
    """Cut the life into stretches of equal time; empty ones are left out."""
    if not t_s.size:
        return []
    wanted = max(t_s.size // settings.samples_per_bin, min(t_s.size, settings.small_series_points))
    count = min(settings.max_bins, wanted)
    span = float(t_s[-1] - t_s[0])
    if count < 2 or span <= 0:
        return [np.arange(t_s.size)]
    which = np.minimum(((t_s - t_s[0]) / span * count).astype(np.intp), count - 1)
    edges = np.flatnonzero(np.diff(which)) + 1
    return np.split(np.arange(t_s.size), edges)


def _summaries(
    life: Readings, groups: list[NDArray[np.intp]], quantile: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Return time, floor, connections completed and open connections of each group of readings."""

    def centre(column: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        return None if column is None else np.array([column[group].mean() for group in groups])

    t_s = np.array([life.t_s[group].mean() for group in groups])
    memory = np.array([np.quantile(life.memory_bytes[group], quantile) for group in groups])
    connections = centre(life.connections)
    if connections is not None and np.ptp(connections) <= 0:
        connections = None
    return t_s, memory, connections, centre(life.open_connections)

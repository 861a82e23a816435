"""Which points are judged: the floors of the rest windows, else the lower envelope of the load."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeGuard

import numpy as np
from scipy.ndimage import median_filter

from soak.analyse.series import part_of
from soak.verdict.verdict import Basis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse.floors.lives import Readings
    from soak.analyse.settings import JudgeSettings

RESTING_WINDOWS = 3
"""Rest windows from which a run is one that rests; fewer are its end."""
SPIKE_SPREAD = 6.0
"""A lone point this many typical deviations from both neighbours is a spike."""
BURST_SPREAD = 8.0
"""Points this many typical deviations above the course of memory are a burst, however many they are."""
BURST_WINDOW = 8
"""The course is the running median over this part of the points: bursts are shorter than half of it."""
MOST_IN_BURSTS = 0.35
"""Share of the points above which they are no bursts but what memory does."""
TROUGH_WIDTHS = (2, 3, 4, 6, 8, 12, 16, 20, 24)
"""Points a stretch may hold when only its lowest is judged."""
WIDE_TROUGH = 12
"""Wider stretches leave few points,"""
WIDE_GAIN = 0.5
"""and must gain twice as much."""
TROUGH_GAIN = 0.6
"""Troughs must bring the line's error below this share of what all points give; noise alone does not."""
MAD_TO_DEVIATION = 1.4826
"""Standard deviation per median absolute deviation of a normal distribution."""
KEPT_SHARE = 0.75
"""Share of a bin's readings, the lowest, whose mean is its memory: the rest may be spikes."""
FLOOR_GAIN = 0.8
"""A low quantile is taken instead when it brings the line's error below this share."""
ROUNDING = 1e-9
"""Means of equal numbers differ by less than this share of them."""
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
    open_connections: NDArray[np.float64] | None = None
    """Connections open at each point, where memory was seen to follow them."""
    audio_s: NDArray[np.float64] | None = None
    """Seconds of audio streamed by then; None when there is no counter that moves."""

    @property
    def waits_for_rests(self) -> bool:
        """Tell whether this run rests, but was judged under load because it has not rested enough yet."""
        return self.basis is Basis.LOAD_ENVELOPE and self.windows >= RESTING_WINDOWS

    @property
    def level_bytes(self) -> float:
        """Typical memory over the later half of the points."""
        return float(np.median(self.memory_bytes[self.memory_bytes.size // 2 :]))

    @property
    def length_s(self) -> float:
        """From the first to the last point."""
        return float(self.t_s[-1] - self.t_s[0])

    def since(self, t_s: float) -> Points:
        """Return the points from this time on."""
        chosen = np.flatnonzero(self.t_s >= t_s)
        return replace(
            self,
            t_s=self.t_s[chosen],
            memory_bytes=self.memory_bytes[chosen],
            connections=part_of(self.connections, chosen),
            open_connections=part_of(self.open_connections, chosen),
            audio_s=part_of(self.audio_s, chosen),
        )


def floors(life: Readings, settings: JudgeSettings) -> Points:
    """Return the points of one life: rest window floors where there are any, else the load's envelope.

    Under load, memory also shows who is connected, so the windows are better from `min_points` on; fewer
    would leave nothing to judge.
    """
    windows = runs(life.at_rest)
    if len(windows) >= settings.min_points:
        found = _summaries(life, windows, settings)
        memory = without_spikes(found.memory_bytes, settings.page_bytes)
        return Points(
            found.t_s,
            memory,
            found.connections,
            Basis.REST_WINDOWS,
            len(windows),
            audio_s=found.audio_s,
        )
    found = _summaries(life, _bins(life.t_s, settings), settings)
    memory, opened = found.memory_bytes, found.open_connections
    worth = 0.0
    if opened is not None and np.ptp(opened) > 0:
        worth = bytes_per_open_connection(found.t_s, memory, opened)
        memory = memory - worth * (opened - np.median(opened))
    memory = without_bursts(without_spikes(memory, settings.page_bytes), settings.page_bytes)
    chosen = troughs(found.t_s, memory, settings.min_troughs)
    return Points(
        found.t_s[chosen],
        memory[chosen],
        part_of(found.connections, chosen),
        Basis.LOAD_ENVELOPE,
        len(windows),
        worth,
        part_of(opened, chosen) if worth > 0 else None,
        part_of(found.audio_s, chosen),
    )


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
        if width > WIDE_TROUGH:
            error /= WIDE_GAIN
        if error < best_error:
            best, best_error = chosen, error
    return best


def _line_error(t_s: NDArray[np.float64], memory: NDArray[np.float64]) -> float:
    """Return how badly a line through these points is known: their spread about a warm-up over √points."""
    if t_s.size < 8:
        return float("inf")
    design = _trend_shapes(t_s)
    residuals: NDArray[np.float64] = memory - design @ (np.linalg.pinv(design) @ memory)
    return float(np.sqrt(residuals @ residuals / (t_s.size - design.shape[1]) / t_s.size))


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


def without_bursts(memory: NDArray[np.float64], page_bytes: float) -> NDArray[np.float64]:
    """Bring points that stand far above the course of memory, and return to it, down to that course.

    A step or a ramp moves the course itself, so it stays.
    """
    width = memory.size // BURST_WINDOW
    if width < 5:
        return memory
    course = median_filter(memory, size=width | 1, mode="nearest")
    above = memory - course
    limit = BURST_SPREAD * MAD_TO_DEVIATION * float(np.median(np.abs(above))) + page_bytes
    burst = above > limit
    if burst.mean() > MOST_IN_BURSTS:
        return memory
    return np.where(burst, course, memory)


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


def runs(flags: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Return the index ranges of contiguous true flags."""
    chosen = np.flatnonzero(flags)
    if not chosen.size:
        return []
    return np.split(chosen, np.flatnonzero(np.diff(chosen) > 1) + 1)


def _bins(t_s: NDArray[np.float64], settings: JudgeSettings) -> list[NDArray[np.intp]]:
    """Cut the life into stretches of equal time; empty ones are left out."""
    if not t_s.size:
        return []
    count = min(settings.max_bins, t_s.size)
    span = float(t_s[-1] - t_s[0])
    if count < 2 or span <= 0:
        return [np.arange(t_s.size)]
    which = np.minimum(((t_s - t_s[0]) / span * count).astype(np.intp), count - 1)
    edges = np.flatnonzero(np.diff(which)) + 1
    return np.split(np.arange(t_s.size), edges)


@dataclass(frozen=True, eq=False)
class _Summaries:
    """One entry per group of readings."""

    t_s: NDArray[np.float64]
    memory_bytes: NDArray[np.float64]
    connections: NDArray[np.float64] | None
    audio_s: NDArray[np.float64] | None
    open_connections: NDArray[np.float64] | None


def _summaries(life: Readings, groups: list[NDArray[np.intp]], settings: JudgeSettings) -> _Summaries:
    t_s = np.array([life.t_s[group].mean() for group in groups])
    ordered = [np.sort(life.memory_bytes[group]) for group in groups]
    floor = np.array([values[int(settings.floor_quantile * (values.size - 1))] for values in ordered])
    kept = np.array([values[: max(1, round(KEPT_SHARE * values.size))].mean() for values in ordered])
    return _Summaries(
        t_s,
        floor if _line_error(t_s, floor) < FLOOR_GAIN * _line_error(t_s, kept) else kept,
        _counter(life.connections, groups),
        _counter(life.audio_s, groups),
        _means(life.open_connections, groups),
    )


def _counter(
    column: NDArray[np.float64] | None, groups: list[NDArray[np.intp]]
) -> NDArray[np.float64] | None:
    """Return a counter's mean in each group; None where it does not move between them."""
    means = _means(column, groups)
    return means if moves(means) else None


def moves(counter: NDArray[np.float64] | None) -> TypeGuard[NDArray[np.float64]]:
    """Tell whether a counter is there and moves by more than the rounding of its means."""
    return counter is not None and bool(np.ptp(counter) > ROUNDING * np.abs(counter).max())


def _means(column: NDArray[np.float64] | None, groups: list[NDArray[np.intp]]) -> NDArray[np.float64] | None:
    return None if column is None else np.array([column[group].mean() for group in groups])

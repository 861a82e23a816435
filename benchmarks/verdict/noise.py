"""Kinds of noise seen in memory readings; each function gives one of mean 0 and standard deviation 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import lfilter

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks.verdict.draw import Clock, Draw


def standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shift to mean 0 and scale to standard deviation 1; a constant becomes 0."""
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)


def autoregressive(draw: Draw, size: int, memory_samples: float) -> NDArray[np.float64]:
    """AR(1) whose correlation falls to 1/e after `memory_samples` readings, begun in its stationary state."""
    phi = float(np.exp(-1.0 / memory_samples))
    shocks = draw.rng.standard_normal(size) * np.sqrt(1 - phi**2)
    values, _ = lfilter([1.0], [1.0, -phi], shocks, zi=[phi * draw.rng.standard_normal()])
    return np.asarray(values, dtype=np.float64)


def white(draw: Draw, clock: Clock) -> NDArray[np.float64]:
    """Independent readings, as of many small sessions that come and go between two readings."""
    return draw.rng.standard_normal(clock.t_s.size)


def short_memory(draw: Draw, clock: Clock) -> NDArray[np.float64]:
    """AR(1) that forgets within 2 to 10 readings."""
    return autoregressive(draw, clock.t_s.size, draw.log_between(2, 10))


def long_memory(draw: Draw, clock: Clock) -> NDArray[np.float64]:
    """AR(1) that forgets within a hundredth to a thirtieth of the trace, with some white noise on top."""
    size = clock.t_s.size
    slow = autoregressive(draw, size, max(2.0, draw.log_between(0.01, 0.033, widen=0.2) * size))
    return slow + draw.between(0.0, 0.7) * draw.rng.standard_normal(size)


def heavy_tails(draw: Draw, clock: Clock) -> NDArray[np.float64]:
    """Student's t with 3 degrees of freedom, weakly correlated: allocators answer in lumps."""
    shocks = np.clip(draw.rng.standard_t(3.0, clock.t_s.size), -12.0, 12.0)
    return np.asarray(lfilter([1.0], [1.0, -draw.between(0.0, 0.6)], shocks), dtype=np.float64)


def restored_walk(draw: Draw, clock: Clock) -> NDArray[np.float64]:
    """A walk of lumpy steps that a restoring force brings back: blocks taken from and given to a pool."""
    size = clock.t_s.size
    memory = max(3.0, draw.log_between(0.005, 0.03, widen=0.2) * size)
    moves = draw.rng.random(size) < draw.between(0.05, 0.4)
    shocks = np.where(moves, draw.rng.laplace(size=size), 0.0)
    return np.asarray(lfilter([1.0], [1.0, -float(np.exp(-1.0 / memory))], shocks), dtype=np.float64)


def held(draw: Draw, clock: Clock) -> NDArray[np.float64]:
    """Readings that stay exactly alike until something is allocated or trimmed, as a real RSS does."""
    size = clock.t_s.size
    changes = np.flatnonzero(draw.rng.random(size) < draw.log_between(0.02, 0.3))
    changes = np.union1d(changes, [0, size // 3, size // 2])
    levels = autoregressive(draw, changes.size, draw.log_between(1, 4))
    return levels[np.searchsorted(changes, np.arange(size), side="right") - 1]


def spikes(draw: Draw, clock: Clock) -> NDArray[np.float64]:
    """Upward only: an expensive request now and then, gone within a few readings (F#2643)."""
    size = clock.t_s.size
    hits = draw.rng.random(size) < max(draw.log_between(0.003, 0.05), 4.0 / size)
    hits[int(draw.rng.integers(size))] = True
    shocks = np.where(hits, draw.rng.exponential(size=size), 0.0)
    decayed = lfilter([1.0], [1.0, -draw.between(0.0, 0.8)], shocks)
    floor = draw.between(0.05, 0.3) * float(np.std(decayed)) * draw.rng.standard_normal(size)
    return np.asarray(decayed + floor, dtype=np.float64)


def bursts(draw: Draw, clock: Clock) -> NDArray[np.float64]:
    """Blocks of many connections at once, 1 → N → 1 (F#1949, wenet#2071), on a quiet floor."""
    size = clock.t_s.size
    raised = np.zeros(size)
    for _ in range(draw.count(6, 40)):
        begin = int(draw.rng.integers(size))
        lasts = max(1, round(draw.log_between(0.002, 0.02) * size))
        raised[begin : begin + lasts] += draw.rng.gamma(3.0)
    return standardised(raised) + draw.between(0.1, 0.5) * draw.rng.standard_normal(size)


def swelling(draw: Draw, clock: Clock) -> NDArray[np.float64]:
    """White noise whose size itself comes and goes with the load."""
    size = clock.t_s.size
    size_of_noise = np.exp(0.7 * autoregressive(draw, size, max(2.0, 0.03 * size)))
    return size_of_noise * draw.rng.standard_normal(size)


NOISES: tuple[Callable[[Draw, Clock], NDArray[np.float64]], ...] = (
    white,
    short_memory,
    long_memory,
    heavy_tails,
    restored_walk,
    held,
    spikes,
    bursts,
    swelling,
)


def draw_noise(draw: Draw, clock: Clock) -> NDArray[np.float64]:
    """One kind at a size relative to the level: 0.05 % to 1 % mostly, up to 3 % in one of six."""
    size = draw.log_between(0.01, 0.03) if draw.chance(1 / 6) else draw.log_between(0.0005, 0.01)
    return size * standardised(draw.one_of(NOISES)(draw, clock))

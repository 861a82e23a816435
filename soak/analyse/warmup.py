"""Where warm-up ends: the earliest point after which the rest no longer bends downwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.noise import whiten
from soak.analyse.trend import DEFAULT_GRID, centre_and_unit, solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_CANDIDATES = 24
"""Places where a warm-up may be found to end; denser early, where it usually does."""


@dataclass(frozen=True)
class WarmUp:
    """The end of the warm-up."""

    first: int
    """Index of the first point of the tail."""
    over: bool
    """Whether the tail is straight; False when even the shortest one still bends."""


def find_warm_up_end(
    t_s: NDArray[np.float64],
    x: NDArray[np.float64],
    memory: NDArray[np.float64],
    *,
    min_tail: int,
    bend_confidence: float,
    noise_floor: float,
) -> WarmUp:
    """Return the earliest tail of at least `min_tail` points whose head does not lie below the rest's line.

    `x` is the workload (connections completed, or the time where they are not counted); a tail bends when
    its first point, its first two, four, … or its first half rise faster than what follows, beyond doubt
    at the noise seen. Warm-up is thus found by shape and not as a share of the clock.
    """
    last = max(0, t_s.size - min_tail)
    for first in _candidates(last):
        if not bends(t_s[first:], x[first:], memory[first:], bend_confidence, noise_floor):
            return WarmUp(first, over=True)
    return WarmUp(last, over=False)


def bends(
    t_s: NDArray[np.float64],
    x: NDArray[np.float64],
    memory: NDArray[np.float64],
    confidence: float,
    noise_floor: float,
) -> bool:
    """Tell whether the head of these points rises faster than the rest, for a head of any length."""
    points = t_s.size
    if points < 5:
        return False
    centre, unit = centre_and_unit(x)
    scaled = (x - centre) / unit
    heads = [_head(scaled, length) for length in _head_lengths(points // 2)]
    # all heads are whitened in one pass: the filter costs the same for ten columns as for three
    white = whiten(t_s, np.column_stack([np.ones(points), scaled, *heads, memory]), DEFAULT_GRID)
    for index, head in enumerate(heads):
        used = [0, 1, 2 + index, -1]
        if np.linalg.matrix_rank(np.column_stack([np.ones(points), scaled, head])) < 3:
            used = [0, 2 + index, -1]
        fitted = solve(white.columns[:, :, used], white.log_determinant, DEFAULT_GRID, noise_floor)
        contrast = np.zeros(len(used) - 1)
        contrast[-1] = 1.0
        if fitted.posterior(contrast).probability_below(0.0) > confidence:
            return True
    return False


def _head(scaled: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Return what bends the first points off the line: a ramp, or a level where the workload stood still."""
    ramp = np.maximum(scaled[length] - scaled, 0.0)
    if ramp[0] > 0:
        level: NDArray[np.float64] = ramp / ramp[0]
        return level
    return (np.arange(scaled.size) < length).astype(np.float64)


def _head_lengths(longest: int) -> list[int]:
    """Return 1, 2, 4, … and the longest."""
    lengths = [1 << power for power in range(longest.bit_length()) if 1 << power < longest]
    return [*lengths, longest]


def _candidates(last: int) -> list[int]:
    if last <= MAX_CANDIDATES:
        return list(range(last + 1))
    shares = np.linspace(0.0, 1.0, MAX_CANDIDATES) ** 1.5
    return sorted({round(float(share) * last) for share in shares})

"""Sinusoidal position encoding, computed for the positions asked for and no others."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def position_encoding(first: int, count: int, dim: int) -> NDArray[np.float32]:
    """Sines, then cosines, of `count` positions from `first` on (FunASR counts from 1): [count, dim].

    FunASR computes every position since the start of the stream again for each chunk; here an hour-long
    stream costs per chunk what its first minute did. Single precision as there: late in a long stream the
    rounding of the angle is visible, and a model sees the same values here.
    """
    rates = _rates(dim)
    angles = np.arange(first, first + count, dtype=np.float32)[:, None] * rates
    encoding = np.empty((count, dim), dtype=np.float32)
    np.sin(angles, out=encoding[:, : len(rates)])
    np.cos(angles, out=encoding[:, len(rates) :])
    return encoding


@functools.cache  # bounded: one entry for each model that is loaded
def _rates(dim: int) -> NDArray[np.float32]:
    """Radians per position: [dim / 2]."""
    half = dim // 2
    increment = np.log(np.array([10000.0], dtype=np.float32)) / np.float32(half - 1)
    rates: NDArray[np.float32] = np.exp(np.arange(half, dtype=np.float32) * -increment)
    return rates

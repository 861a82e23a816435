"""Continuous integrate-and-fire (CIF, arXiv 1905.11235) over one chunk, with its carry, without a loop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class CifCarry:
    """What a chunk leaves of a token that has not fired yet."""

    weight: float
    """Gathered so far, below the threshold."""
    hidden: Floats
    """The weighted mean of the hidden states gathered so far: [dim]."""

    @classmethod
    def empty(cls, dim: int) -> CifCarry:
        """Nothing gathered."""
        return cls(0.0, np.zeros(dim, dtype=np.float32))


def integrate_and_fire(
    hidden: Floats, alphas: Floats, carry: CifCarry, *, threshold: float, tail_weight: float | None = None
) -> tuple[Floats, CifCarry]:
    """Turn frames [T, dim] with weights [T] into acoustic embeddings [N, dim], and what is left over.

    Lay the weights end to end: token k gathers every frame by its overlap with [k, k + 1) thresholds. That is
    the sequential definition as long as no single weight exceeds the threshold. `tail_weight`, given on the
    last chunk, is added after the last frame with a hidden state of zero, so that a token seen for the most
    part still fires.
    """
    weights = np.concatenate(([carry.weight], alphas, [] if tail_weight is None else [tail_weight]))
    ends = np.cumsum(weights)  # in double precision: equal sums must fire on equal frames
    starts = ends - weights
    count = int(ends[-1] // threshold)
    tokens = np.arange(count + 1)[:, None] * threshold
    overlap = np.minimum(ends, tokens + threshold) - np.maximum(starts, tokens)
    shares = np.maximum(overlap, 0.0).astype(np.float32)
    # The tail's hidden state is zero: its share needs no multiplication.
    frames = len(alphas)
    gathered: Floats = shares[:, 1 : frames + 1] @ hidden + np.outer(shares[:, 0], carry.hidden)
    left = float(ends[-1]) - count * threshold
    mean = gathered[count] / np.float32(left) if left > 0.0 else np.zeros_like(carry.hidden)
    return gathered[:count], CifCarry(left, mean)

"""Continuous integrate-and-fire (CIF, arXiv 1905.11235) over one chunk, with its carry, without a loop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

TOKENS_AT_ONCE = 8
"""More than a usual window has; bounds the memory that a long one takes."""


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

    Sums are taken frame by frame in single precision, as FunASR takes them: int8 models turn a last bit into
    another token.
    """
    frames = len(alphas)
    weights = np.empty(1 + frames + (tail_weight is not None))  # double: equal sums fire on equal frames
    weights[0], weights[1 : frames + 1] = carry.weight, alphas
    if tail_weight is not None:
        weights[-1] = tail_weight
    ends = weights.cumsum()
    starts = np.subtract(ends, weights, out=weights)
    total = float(ends[-1])
    count = int(total // threshold)
    bounds = np.arange(count + 2) * threshold
    # One row for each frame, one column for each token; the last is the one that has not fired.
    overlap = np.minimum(ends[:, None], bounds[1:])
    overlap -= np.maximum(starts[:, None], bounds[:-1])
    shares: Floats = np.maximum(overlap, 0.0, dtype=np.float32, casting="same_kind")
    # The tail's hidden state is zero: its share needs no multiplication.
    gathered = _gather(shares[: frames + 1], np.concatenate((carry.hidden[None], hidden)))
    left = total - count * threshold
    mean = gathered[count] / np.float32(left) if left > 0.0 else np.zeros_like(carry.hidden)
    return gathered[:count], CifCarry(left, mean)


def _gather(shares: Floats, states: Floats) -> Floats:
    """Sum states [T, dim] by shares [T, N], frame by frame: [N, dim]."""
    blocks = []
    for first in range(0, shares.shape[1], TOKENS_AT_ONCE):
        block = shares[:, first : first + TOKENS_AT_ONCE]
        heard = np.flatnonzero(block.any(axis=1))
        frames = slice(heard[0], heard[-1] + 1) if len(heard) else slice(0, 0)
        # Along the first axis, numpy adds one row after another.
        blocks.append((block[frames, :, None] * states[frames, None]).sum(axis=0))
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

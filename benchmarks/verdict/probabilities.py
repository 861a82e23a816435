"""What stated probabilities are worth, whatever is made of them. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

if TYPE_CHECKING:
    from collections.abc import Sequence

SUREST = 1e-6
"""No probability counts as nearer to 0 or 1: the loss of one that is sure and wrong is else infinite."""
UNKNOWN = 0.5
"""What a NaN counts as: there was too little to say anything."""


def area_under_curve(probabilities: Sequence[float], leaking: Sequence[bool]) -> float:
    """Return how likely a leak is given the higher probability of two traces, one of them leaking.

    It is the area under the receiver operating characteristic; ties count half (Hanley and McNeil, Radiology
    143, 1982). NaN without a leak or without a healthy trace.
    """
    stated, truth = _known(probabilities), np.asarray(leaking, dtype=bool)
    leaks = int(truth.sum())
    healthy = truth.size - leaks
    if not leaks or not healthy:
        return math.nan
    ranks = rankdata(stated)
    return (float(ranks[truth].sum()) - leaks * (leaks + 1) / 2) / (leaks * healthy)


def log_loss(probabilities: Sequence[float], leaking: Sequence[bool]) -> float:
    """Return the mean of -log of the probability given to what is true, in nats: 0.69 for a coin's guess."""
    if not probabilities:
        return math.nan
    stated, truth = _known(probabilities), np.asarray(leaking, dtype=bool)
    given = np.clip(np.where(truth, stated, 1.0 - stated), SUREST, 1.0 - SUREST)
    return float(-np.log(given).mean())


def _known(probabilities: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    stated = np.asarray(probabilities, dtype=np.float64)
    return np.where(np.isfinite(stated), stated, UNKNOWN)

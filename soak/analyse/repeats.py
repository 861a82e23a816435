"""Figures of repeated runs: their mean, how two sides differ, and how sure that is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from soak.verdict.verdict import UNKNOWN, Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONFIDENCE = 0.95
PRIOR_RUNS = 4.0
"""How many degrees of freedom the expected spread counts for, beside those of the runs themselves."""


def mean_with_interval(values: Sequence[float]) -> Estimate:
    """Return the mean with its 95 % interval by Student's t; the interval is NaN for a single value."""
    known = np.array([value for value in values if math.isfinite(value)])
    if not len(known):
        return UNKNOWN
    mean = float(known.mean())
    if len(known) < 2:
        return Estimate(mean, math.nan, math.nan)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(known) - 1) * stats.sem(known))
    return Estimate(mean, mean - half, mean + half)


def difference(ours: Mapping[int, float], baselines: Mapping[int, float]) -> Estimate:
    """Return how much more it is than the baseline, both by repeat: the mean of the pairs' differences.

    Pairs of one repeat ran within the same stretch of time, so what the machine did meanwhile is in both.
    """
    pairs = sorted(ours.keys() & baselines.keys())
    return mean_with_interval([ours[repeat] - baselines[repeat] for repeat in pairs])


def ratio(ours: Mapping[int, float], baselines: Mapping[int, float]) -> Estimate:
    """Return how many times the baseline it is: the geometric mean of the pairs' ratios, by repeat."""
    pairs = sorted(ours.keys() & baselines.keys())
    logs = [
        math.log(ours[repeat] / baselines[repeat])
        for repeat in pairs
        if ours[repeat] > 0 and baselines[repeat] > 0
    ]
    estimate = mean_with_interval(logs)
    return Estimate(*(math.exp(value) for value in (estimate.estimate, estimate.low, estimate.high)))


def moderated_difference(
    ours: Sequence[float], others: Sequence[float], *, expected_spread: float, confidence: float = CONFIDENCE
) -> Estimate:
    """Return how much more `ours` are than `others`, in their unit, with the interval of that confidence.

    The runs are not paired, and there may be but one on a side, which tells nothing of how runs differ. So
    their variance is pooled with that of `expected_spread` (standard deviation between healthy repeats, same
    unit), which counts for `PRIOR_RUNS` degrees of freedom (Smyth, "Linear models and empirical Bayes
    methods", Statistical Applications in Genetics and Molecular Biology 3, 2004: the moderated t). More
    repeats make it more their own. NaN where a side has no known figure.
    """
    left, right = (np.array([value for value in side if math.isfinite(value)]) for side in (ours, others))
    if not (left.size and right.size):
        return UNKNOWN
    freedom = PRIOR_RUNS + left.size + right.size - 2
    squares = sum(float(((side - side.mean()) ** 2).sum()) for side in (left, right))
    variance = (PRIOR_RUNS * expected_spread**2 + squares) / freedom
    half = float(stats.t.ppf((1 + confidence) / 2, freedom)) * math.sqrt(
        variance * (1 / left.size + 1 / right.size)
    )
    estimate = float(left.mean() - right.mean())
    return Estimate(estimate, estimate - half, estimate + half)

"""Memory that swings by the hour or the day: the periods that are there, as columns to be fitted beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from soak.analyse.posterior.moments import swept, whitened_moments
from soak.analyse.posterior.noise import NoiseGrid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NATURAL_PERIODS_S = (1800.0, 3600.0, 43200.0, 86400.0, 302400.0, 604800.0)
"""An hour, a day, a week and their halves: load is known to follow them, so that less than two cycles are
enough, and that they need not stand out from all other periods."""
LEAST_CYCLES = 2.0
"""Cycles of any other period that must have been seen."""
LEAST_NATURAL_CYCLES = 0.9
"""Cycles of a natural period."""
READINGS_PER_CYCLE = 4.0
"""Points a cycle holds at least."""
MAX_HARMONICS = 4
"""Sines that may be taken out: a day has an evening and a night, a saw-tooth has edges."""
EVIDENCE_TO_ACCEPT = 3.0
"""Gain in log evidence from which a period is believed, beyond the price of its coefficients and, for one
that is not natural, of the choice among all."""
SEARCH_PRICE = 2.0
"""What else a period costs that nobody has a reason to expect."""
MIN_POINTS = 24
"""Points below which no period is looked for."""
GRID = NoiseGrid(
    correlation=np.array([0.0, 0.3, 0.6, 0.8, 0.92, 0.98]),
    white_share=np.zeros(6),
    log_prior=np.full(6, -np.log(6.0)),
)
"""Noises a period is tested against: a period must stand out from noise that wanders, too."""
TREND_SHARES = (0.02, 0.08, 0.25)
"""Time constants of the warm-ups that stand beside, as shares of the run."""


def seasonal_columns(clock_s: Floats, share: Floats, memory: Floats, load: Floats) -> Floats:
    """Return the sines and cosines (points × 2k) of the periods that these points show beyond doubt.

    `load` (points × j) is what is known to move the memory. Sines are added one by one while the evidence
    (BIC, over noises up to nearly a random walk) grows, beside a trend with warm-ups: growth is no swing.
    """
    none = np.zeros((memory.size, 0))
    span = float(clock_s[-1] - clock_s[0])
    if memory.size < MIN_POINTS or span <= 0:
        return none
    periods = _periods(span, memory.size)
    angle = 2.0 * np.pi * (clock_s - clock_s[0])[:, None] / periods
    y = (memory - memory.mean()) / (float(np.std(memory)) or 1.0)
    base = np.column_stack([*_trend(share), load])
    waves = np.stack([np.sin(angle), np.cos(angle)], axis=2).reshape(memory.size, -1)
    moments, log_noise = whitened_moments(clock_s, np.column_stack([base, waves, y]), GRID)
    for column in range(base.shape[1]):
        if (moments[:, column, column] > 1e-9).all():
            moments = swept(moments, column)
    chosen: list[int] = []
    evidence = _evidence(log_noise, moments[:, -1, -1], memory.size)
    searched = ~np.isin(periods, NATURAL_PERIODS_S)
    price = np.log(memory.size) + np.where(searched, np.log(periods.size) + SEARCH_PRICE, 0.0)
    while len(chosen) < MAX_HARMONICS:
        left = _left_by_pairs(moments, base.shape[1], periods.size)
        gains = _evidence(log_noise[:, None], left, memory.size) - price - evidence
        gains[chosen] = -np.inf
        best = int(np.argmax(gains))
        if gains[best] < EVIDENCE_TO_ACCEPT:
            break
        chosen.append(best)
        evidence += float(gains[best] + price[best])
        for column in (base.shape[1] + 2 * best, base.shape[1] + 2 * best + 1):
            moments = swept(moments, column)
    picked = [column for best in chosen for column in (2 * best, 2 * best + 1)]
    return waves[:, picked] if picked else none


def without_swings(share: Floats, memory: Floats, swings: Floats) -> Floats:
    """Return the memory less these swings (points × 2k), fitted beside a trend with warm-ups."""
    if not swings.shape[1]:
        return memory
    design = np.column_stack([*_trend(share), swings])
    coefficients = np.linalg.lstsq(design, memory, rcond=None)[0]
    return np.asarray(memory - swings @ coefficients[-swings.shape[1] :])


def _trend(share: Floats) -> list[Floats]:
    """Return a line, a bend, and warm-ups, for swings to stand beside."""
    return [np.ones_like(share), share, share**2, *(np.exp(-share / scale) for scale in TREND_SHARES)]


def _periods(span_s: float, points: int) -> Floats:
    cycles = np.arange(2.0 * LEAST_CYCLES, 2.0 * points / READINGS_PER_CYCLE + 1.0) / 2.0
    natural = np.array(NATURAL_PERIODS_S)
    seen = span_s / natural
    natural = natural[(seen >= LEAST_NATURAL_CYCLES) & (seen < points / READINGS_PER_CYCLE)]
    return np.concatenate([span_s / cycles, natural])


def _left_by_pairs(moments: Floats, first: int, pairs: int) -> Floats:
    """Return the memory's squares left beside each sine with its cosine, (noises, pairs)."""
    sines = first + 2 * np.arange(pairs)
    ss, cc, sc = (
        moments[:, sines, sines],
        moments[:, sines + 1, sines + 1],
        moments[:, sines, sines + 1],
    )
    sy, cy = moments[:, sines, -1], moments[:, sines + 1, -1]
    determinant = ss * cc - sc**2
    usable = determinant > 1e-6 * ss * cc
    determinant = np.where(usable, determinant, 1.0)
    explained = np.where(usable, (cc * sy**2 - 2 * sc * sy * cy + ss * cy**2) / determinant, 0.0)
    return np.maximum(moments[:, -1, -1][:, None] - explained, 1e-9)


def _evidence(log_noise: Floats, squares: Floats, points: int) -> Floats:
    return np.asarray(logsumexp(log_noise - 0.5 * points * np.log(np.maximum(squares, 1e-9)), axis=0))

"""Intervals stated at 95 % hold the truth about that often, and belief in a leak goes where the leak is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.signal import lfilter

from soak.analyse.posterior.models import explain
from soak.analyse.posterior.noise import default_noise_grid
from soak.analyse.posterior.shapes import Kind
from tests.seeds import nightly, seeds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from soak.analyse.posterior.models import Explanation

    Floats = NDArray[np.float64]

GRID = default_noise_grid()
PAGE_BYTES = 4096.0
LEVEL_BYTES = 90e6
BUDGET_BYTES = 0.0025 * LEVEL_BYTES


def explained(memory: Floats) -> Explanation:
    share = np.linspace(0.0, 1.0, memory.size)
    return explain(
        share * 1000.0,
        share,
        np.round(memory / PAGE_BYTES) * PAGE_BYTES,
        np.zeros((memory.size, 0)),
        grid=GRID,
        noise_floor=PAGE_BYTES / np.sqrt(12.0),
        budget=BUDGET_BYTES,
        prior_lasting=0.4,
    )


def noise(random: np.random.Generator, points: int, correlation: float, deviation: float) -> Floats:
    fresh = random.normal(0.0, deviation * np.sqrt(1.0 - correlation**2), points)
    fresh[0] = random.normal(0.0, deviation)
    return np.asarray(lfilter([1.0], [1.0, -correlation], fresh))


@pytest.mark.parametrize("correlation", [nightly(0.0), 0.5, nightly(0.85)])
@pytest.mark.parametrize(("points", "growth_bytes"), [(24, 4e6), nightly(80, 4e6), (80, 0.0)])
def test_the_interval_holds_the_true_growth(correlation: float, points: int, growth_bytes: float) -> None:
    random = np.random.default_rng([points, int(100 * correlation)])
    share = np.linspace(0.0, 1.0, points)
    trials = 40
    hits = 0
    for _ in range(trials):
        memory = LEVEL_BYTES + growth_bytes * share + noise(random, points, correlation, 80e3)
        below = explained(memory).belief.probability_below(growth_bytes)
        hits += 0.025 < below < 0.975
    # 40 trials of a 95 % interval: fewer than 33 hits are had once in a thousand times
    assert hits >= 33


@pytest.mark.parametrize("seed", seeds(4))
def test_growth_that_goes_on_is_believed_and_growth_that_ends_is_not(seed: int) -> None:
    share = np.linspace(0.0, 1.0, 120)
    random = np.random.default_rng(seed)
    warm_up = 20e6 * (1.0 - np.exp(-share / 0.1))
    quiet = LEVEL_BYTES + warm_up + noise(random, 120, 0.6, 60e3)
    healthy, leaking = explained(quiet), explained(quiet + 5e6 * share)
    assert healthy.lasting < 0.05
    assert leaking.lasting > 0.95
    assert leaking.belief.quantile(0.5) == pytest.approx(5e6, rel=0.15)


def test_even_steps_up_are_a_staircase_and_early_ones_a_ladder() -> None:
    share = np.linspace(0.0, 1.0, 200)
    random = np.random.default_rng(0)

    def steps_at(*places: float) -> Floats:
        risen = sum(2e6 * (share >= place) for place in places)
        return np.asarray(LEVEL_BYTES + risen + noise(random, 200, 0.3, 40e3))

    assert explained(steps_at(0.01, 0.02, 0.05, 0.11)).lasting < 0.1
    even = explained(steps_at(0.1, 0.24, 0.38, 0.53, 0.67, 0.82, 0.95))
    assert even.lasting > 0.8
    assert even.likeliest_lasting in (Kind.STAIRS, Kind.LINE)


def test_the_teeth_of_a_saw_are_no_growth() -> None:
    share = np.linspace(0.0, 1.0, 200)
    saw = LEVEL_BYTES + 10e6 * ((7 * share) % 1.0) + noise(np.random.default_rng(0), 200, 0.3, 60e3)
    assert explained(saw).lasting < 0.5


@pytest.mark.parametrize("points", [8, 16, 200])
def test_a_constant_series_keeps_the_doubt_of_page_rounding(points: int) -> None:
    belief = explained(np.full(points, LEVEL_BYTES)).belief
    width_bytes = belief.quantile(0.975) - belief.quantile(0.025)
    assert abs(belief.quantile(0.5)) < PAGE_BYTES
    assert width_bytes > PAGE_BYTES / 10

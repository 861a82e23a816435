"""Intervals stated at 95 % hold the truth about that often, whatever the noise."""

from __future__ import annotations

import numpy as np
import pytest

from soak.analyse.trend import fit_line

PAGE_BYTES = 4096.0
FLOOR_BYTES = PAGE_BYTES / np.sqrt(12.0)
SLOPE = np.array([0.0, 1.0])
TRUE_BYTES_PER_S = 2000.0


def covered(points: int, correlation: float, trials: int) -> float:
    """Return how often the 95 % interval holds the true slope, for AR(1) noise of 80 kB in whole pages."""
    random = np.random.default_rng([points, int(100 * correlation)])
    t_s = np.linspace(0.0, 10.0 * (points - 1), points)
    hits = 0
    for _ in range(trials):
        noise = random.normal(size=points)
        for i in range(1, points):
            noise[i] = correlation * noise[i - 1] + np.sqrt(1 - correlation**2) * noise[i]
        memory = np.round((90e6 + TRUE_BYTES_PER_S * t_s + 80e3 * noise) / PAGE_BYTES) * PAGE_BYTES
        line, _, unit = fit_line(t_s, t_s, memory, noise_floor=FLOOR_BYTES)
        below = line.posterior(SLOPE).probability_below(TRUE_BYTES_PER_S * unit)
        hits += 0.025 < below < 0.975
    return hits / trials


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.8])
@pytest.mark.parametrize(("points", "trials"), [(8, 300), (16, 300), (30, 200), (300, 40)])
def test_the_interval_holds_the_truth(points: int, correlation: float, trials: int) -> None:
    # measured over 4000 trials: 91 % to 99.6 %; four standard errors are left for these few trials
    assert covered(points, correlation, trials) > 0.92 - 4 * np.sqrt(0.92 * 0.08 / trials)


def test_many_independent_points_are_not_over_covered() -> None:
    # an interval that always holds the truth would be useless: 97 % is measured at 30 points
    assert covered(30, 0.0, 400) < 0.998


@pytest.mark.parametrize("points", [6, 8, 16, 200])
def test_a_constant_series_keeps_the_doubt_of_page_rounding(points: int) -> None:
    t_s = np.linspace(0.0, 10.0 * (points - 1), points)
    line, _, unit = fit_line(t_s, t_s, np.full(points, 9e7), noise_floor=FLOOR_BYTES)
    interval = line.posterior(SLOPE).interval(0.95)
    width_over_run = (interval.high - interval.low) / unit * t_s[-1]
    assert interval.estimate == pytest.approx(0.0, abs=1.0)
    assert FLOOR_BYTES / 2 < width_over_run < 10 * PAGE_BYTES


def test_one_page_more_or_less_is_no_trend() -> None:
    t_s = np.linspace(0.0, 110.0, 12)
    memory = 9e7 + PAGE_BYTES * np.array([0, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 1.0])
    line, _, _ = fit_line(t_s, t_s, memory, noise_floor=FLOOR_BYTES)
    interval = line.posterior(SLOPE).interval(0.95)
    assert interval.low < 0 < interval.high


def test_uneven_spacing_is_taken_as_it_comes() -> None:
    t_s = np.cumsum(np.random.default_rng(0).exponential(10.0, 60))
    line, _, unit = fit_line(t_s, t_s, 9e7 + 500.0 * t_s, noise_floor=FLOOR_BYTES)
    assert line.posterior(SLOPE).interval(0.95).estimate / unit == pytest.approx(500.0, rel=0.01)


def test_too_few_points_for_a_line_are_refused() -> None:
    two = np.array([0.0, 1.0])
    with pytest.raises(ValueError, match="2 points cannot carry"):
        fit_line(two, two, two, noise_floor=1.0)

"""The rules of others: an obvious leak, an obvious plateau, and what each is known to get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.verdict.peers import (
    PEERS,
    back_half_line,
    last_against_first,
    linear_backward_regression,
    mann_kendall,
    precog,
    predict_linear,
    rolling_minimum,
    steady_state,
)
from benchmarks.verdict.peers.jindal import change_points
from benchmarks.verdict.peers.readings import Lines, fit_line, medians
from benchmarks.verdict.peers.steady import largest_step, steadiness
from soak.analyse import Series
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

MB = 1e6
HOUR_S = 3600.0
ALL = pytest.mark.parametrize("rule", PEERS.values(), ids=PEERS.keys())


def series(rss_mb: NDArray[np.float64], *, length_s: float = HOUR_S) -> Series:
    return Series(t_s=np.linspace(0.0, length_s, rss_mb.size), values=MB * rss_mb)


def noise(size: int, deviation_mb: float, seed: int = 1) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0.0, deviation_mb, size)


def leak() -> NDArray[np.float64]:
    return 500.0 + np.linspace(0.0, 250.0, 1200) + noise(1200, 1.0)


def plateau() -> NDArray[np.float64]:
    return 500.0 + noise(1200, 1.0, seed=6)


def warm_up(time_constants: float) -> NDArray[np.float64]:
    return 500.0 - 300.0 * np.exp(-np.linspace(0.0, time_constants, 1200))


@ALL
def test_an_obvious_leak_is_climbing(rule: Callable[[Series], Label]) -> None:
    assert rule(series(leak())) is Label.CLIMBING


@ALL
def test_an_obvious_plateau_is_one(rule: Callable[[Series], Label]) -> None:
    assert rule(series(plateau())) is Label.PLATEAU


@ALL
def test_constant_readings_are_a_plateau(rule: Callable[[Series], Label]) -> None:
    assert rule(series(np.full(1200, 500.0))) is Label.PLATEAU


@ALL
def test_failed_readings_are_left_out(rule: Callable[[Series], Label]) -> None:
    rss_mb = leak()
    rss_mb[::3] = np.nan
    assert rule(series(rss_mb)) is Label.CLIMBING


@ALL
@pytest.mark.parametrize("size", [0, 1, 2])
def test_next_to_no_readings_are_never_a_leak(rule: Callable[[Series], Label], size: int) -> None:
    assert rule(series(np.full(size, 500.0))) is not Label.CLIMBING


@ALL
def test_adding_to_a_leak_leaves_it_one(rule: Callable[[Series], Label]) -> None:
    assert rule(series(leak() + np.linspace(0.0, 300.0, 1200))) is Label.CLIMBING


class TestBackHalfLine:
    def test_the_budget_is_two_megabytes_over_the_back_half(self) -> None:
        assert back_half_line(series(np.linspace(500.0, 503.9, 1001))) is Label.PLATEAU
        assert back_half_line(series(np.linspace(500.0, 504.1, 1001))) is Label.CLIMBING

    def test_what_happens_in_the_front_half_does_not_count(self) -> None:
        rss_mb = np.concatenate([np.linspace(100.0, 500.0, 600), np.full(601, 500.0)])
        assert back_half_line(series(rss_mb)) is Label.PLATEAU

    def test_its_weakness_is_a_long_warm_up(self) -> None:
        assert back_half_line(series(warm_up(3.0))) is Label.CLIMBING

    def test_and_a_budget_that_does_not_scale(self) -> None:
        assert back_half_line(series(8000.0 + noise(200, 80.0, seed=3))) is Label.CLIMBING

    def test_too_few_readings_are_inconclusive(self) -> None:
        assert back_half_line(series(np.linspace(100.0, 900.0, 7))) is Label.INCONCLUSIVE


class TestLastAgainstFirst:
    def test_ten_per_cent_more_is_tolerated(self) -> None:
        levels = np.concatenate([np.full(50, 500.0), np.full(50, 549.0)])
        assert last_against_first(series(levels)) is Label.PLATEAU
        assert last_against_first(series(levels + np.repeat([0.0, 2.0], 50))) is Label.CLIMBING

    def test_its_weakness_is_a_first_reading_before_the_warm_up(self) -> None:
        assert last_against_first(series(warm_up(20.0))) is Label.CLIMBING

    def test_and_a_slow_leak(self) -> None:
        assert last_against_first(series(np.linspace(500.0, 545.0, 1000))) is Label.PLATEAU


class TestMannKendall:
    def test_its_weakness_is_a_warm_up_that_ended_long_ago(self) -> None:
        rss_mb = np.concatenate([np.linspace(100.0, 500.0, 300), 500.0 + noise(900, 1.0)])
        assert mann_kendall(series(rss_mb)) is Label.CLIMBING

    def test_and_noise_that_wanders(self) -> None:
        wandering = np.cumsum(noise(1200, 1.0, seed=2))
        assert mann_kendall(series(500.0 + np.sort(wandering[:20]).repeat(60))) is Label.CLIMBING

    def test_a_fall_is_no_leak(self) -> None:
        assert mann_kendall(series(leak()[::-1])) is Label.PLATEAU

    def test_ties_and_twenty_thousand_readings_are_no_trouble(self) -> None:
        rounded = np.round(500.0 + noise(20_000, 0.3))
        assert mann_kendall(series(rounded)) is Label.PLATEAU


class TestLinearBackwardRegression:
    def test_a_leak_that_began_late_is_found_by_a_shorter_window(self) -> None:
        rss_mb = 500.0 + np.maximum(0.0, np.linspace(-700.0, 300.0, 1200))
        assert linear_backward_regression(series(rss_mb)) is Label.CLIMBING

    def test_its_weakness_is_a_creep_that_is_straight_for_a_while(self) -> None:
        assert linear_backward_regression(series(warm_up(1.0))) is Label.CLIMBING

    def test_and_a_leak_under_a_saw_tooth(self) -> None:
        saw = 100.0 * (np.arange(1200) % 200) / 200
        assert linear_backward_regression(series(500.0 + saw + np.linspace(0.0, 60.0, 1200))) is Label.PLATEAU


class TestPrecog:
    def test_a_rise_that_ended_in_the_training_excuses_a_gentler_one(self) -> None:
        rise = np.linspace(0.0, 100.0, 200)
        benign = np.concatenate([rise, np.full(50, 100.0)])
        rss_mb = 500.0 + np.concatenate([benign, benign - 100.0, benign - 100.0, rise * 0.4])
        assert precog(series(rss_mb)) is Label.PLATEAU

    def test_maxima_below_the_trainings_excuse(self) -> None:
        rss_mb = np.concatenate([np.full(600, 900.0), np.linspace(500.0, 600.0, 600)])
        assert precog(series(rss_mb)) is Label.PLATEAU

    def test_its_weakness_is_growth_in_stairs(self) -> None:
        stairs = 40.0 * np.floor(np.arange(1200) / 400)
        assert precog(series(500.0 + stairs + noise(1200, 12.0))) is Label.PLATEAU

    def test_change_points_are_unusual_steps_apart(self) -> None:
        level = np.concatenate(
            [np.tile([10.0, 11.0, 13.0], 20), np.full(30, 60.0) + np.tile([0.0, 1.0, 3.0], 10)]
        )
        t_s = np.arange(level.size, dtype=np.float64)
        assert change_points(t_s, level, apart_s=10.0) == [0, 60, 89]


class TestRollingMinimum:
    def test_a_leak_under_a_saw_tooth_of_single_readings_is_seen(self) -> None:
        spiky = leak() + 80.0 * (np.arange(1200) % 30 == 0)
        assert rolling_minimum(series(spiky)) is Label.CLIMBING

    def test_gain_below_five_mebibytes_is_tolerated(self) -> None:
        assert rolling_minimum(series(np.linspace(500.0, 505.0, 1200))) is Label.PLATEAU
        assert rolling_minimum(series(np.linspace(500.0, 506.0, 1200))) is Label.CLIMBING

    def test_its_weakness_is_a_straight_creep(self) -> None:
        assert rolling_minimum(series(warm_up(1.5))) is Label.CLIMBING

    def test_two_minutes_of_load_are_too_few(self) -> None:
        assert rolling_minimum(series(leak(), length_s=170.0)) is Label.INCONCLUSIVE


class TestPredictLinear:
    def test_only_the_recent_part_counts(self) -> None:
        rss_mb = np.concatenate([np.linspace(100.0, 500.0, 600), np.full(601, 500.0)])
        assert predict_linear(series(rss_mb)) is Label.PLATEAU

    def test_its_weakness_is_a_slow_leak(self) -> None:
        assert predict_linear(series(np.linspace(500.0, 504.0, 1200))) is Label.PLATEAU

    def test_and_a_warm_up_that_has_not_ended(self) -> None:
        assert predict_linear(series(warm_up(2.0))) is Label.CLIMBING


class TestReadings:
    def test_a_line_from_running_sums_is_the_line(self) -> None:
        t_s, y = np.linspace(0.0, 100.0, 50), 2e9 + 1e6 * np.sin(np.arange(50))
        line, again = fit_line(t_s[10:30], y[10:30]), Lines(t_s, y).between(10, 30)
        assert again.slope == pytest.approx(line.slope)
        assert again.r2 == pytest.approx(line.r2)
        assert again.at(50.0) == pytest.approx(line.at(50.0))

    def test_medians_leave_out_empty_stretches(self) -> None:
        t_s = np.array([0.0, 1.0, 2.0, 30.0, 31.0])
        middle, value = medians(t_s, np.array([5.0, 1.0, 3.0, 4.0, 8.0]), 10.0)
        assert middle.tolist() == [1.0, 30.5]
        assert value.tolist() == [3.0, 6.0]

    def test_a_line_needs_a_reading(self) -> None:
        with pytest.raises(ValueError, match="at least one"):
            fit_line(np.array([]), np.array([]))


class TestSteadyState:
    def test_a_step_that_ended_is_a_warm_up(self) -> None:
        rss_mb = np.concatenate([np.full(400, 300.0), np.full(800, 500.0)]) + noise(1200, 1.0)
        assert steady_state(series(rss_mb)) is Label.PLATEAU

    def test_the_step_is_found_where_it_is(self) -> None:
        assert largest_step(np.concatenate([np.full(100, 1.0), np.full(200, 5.0)])) == 100
        assert largest_step(np.linspace(9.0, 1.0, 300)) == 0

    def test_noise_around_a_level_is_steady_and_a_drift_is_not(self) -> None:
        steady = steadiness(500.0 + noise(300, 1.0))[1]
        drifting = steadiness(500.0 + noise(300, 1.0) + np.linspace(0.0, 50.0, 300))[1]
        assert steady > 0.8
        assert drifting < 0.3

    def test_a_fall_fills_no_machine(self) -> None:
        assert steady_state(series(leak()[::-1])) is Label.PLATEAU

    def test_its_weakness_is_a_warm_up_that_has_not_ended(self) -> None:
        assert steady_state(series(warm_up(2.0))) is Label.CLIMBING

    def test_too_few_readings_are_inconclusive(self) -> None:
        assert steady_state(series(np.linspace(100.0, 900.0, 7))) is Label.INCONCLUSIVE

"""Steps in a history of runs."""

from __future__ import annotations

import numpy as np
import pytest

from soak.analyse.steps import find_steps


def _history(random: np.random.Generator, *levels: tuple[int, float]) -> list[float]:
    means = np.concatenate([np.full(runs, level) for runs, level in levels])
    return [float(value) for value in means * (1 + random.normal(0, 0.01, len(means)))]


def test_steps_up_and_down_are_found_where_they_are() -> None:
    random = np.random.default_rng(1)
    steps = find_steps(_history(random, (12, 100), (9, 112), (10, 95)), expected_spread=1.0, tolerance=3.0)
    assert [step.index for step in steps] == [12, 21]
    assert steps[0].difference.estimate == pytest.approx(12, abs=1.5)
    assert steps[0].difference.low < 12 < steps[0].difference.high
    assert steps[1].difference.high < 0


@pytest.mark.parametrize("outlier", [0, 10, 19])
def test_one_run_that_stands_out_is_no_step(outlier: int) -> None:
    values = _history(np.random.default_rng(2), (20, 100))
    values[outlier] = 130.0
    assert not find_steps(values, expected_spread=1.0, tolerance=3.0)


def test_a_step_below_the_tolerance_or_in_too_few_runs_is_not_told() -> None:
    random = np.random.default_rng(3)
    assert not find_steps(_history(random, (40, 100), (40, 102)), expected_spread=1.0, tolerance=3.0)
    assert not find_steps([100.0, 150.0, 150.0], expected_spread=1.0, tolerance=3.0)
    assert not find_steps([100.0] * 30, expected_spread=1.0, tolerance=3.0)


def test_the_unit_does_not_matter() -> None:
    values = _history(np.random.default_rng(4), (10, 100), (10, 108))
    small = find_steps(values, expected_spread=1.0, tolerance=3.0)
    large = find_steps([value * 2**20 for value in values], expected_spread=2.0**20, tolerance=3.0 * 2**20)
    assert [step.index for step in small] == [step.index for step in large] == [10]

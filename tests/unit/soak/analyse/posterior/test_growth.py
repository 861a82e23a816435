"""One distribution of growth: every number that is read off it agrees with every other."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soak.analyse.posterior import Growth

parts = st.lists(
    st.tuples(st.floats(0.01, 1.0), st.floats(-12, 25), st.floats(0.01, 3.0)), min_size=1, max_size=8
)


def believed(none: float, mixture: list[tuple[float, float, float]]) -> Growth:
    weights, centres, widths = np.array(mixture).T
    return Growth(none, (1 - none) * weights / weights.sum(), centres, widths)


@given(st.floats(0, 0.99), parts, st.floats(0.01, 0.99))
def test_a_quantile_is_not_exceeded_with_its_probability(
    none: float, mixture: list[tuple[float, float, float]], probability: float
) -> None:
    growth = believed(none, mixture)
    found = growth.quantile(probability)
    if found == 0:
        assert growth.beyond(0) <= 1 - probability + 1e-12
    else:
        assert growth.beyond(found) == pytest.approx(1 - probability, abs=1e-6)


@given(st.floats(0, 0.99), parts)
def test_more_is_exceeded_less(none: float, mixture: list[tuple[float, float, float]]) -> None:
    growth = believed(none, mixture)
    beyond = [growth.beyond(more) for more in (-1.0, 0.0, *np.geomspace(1e-6, 1e12, 40))]
    assert beyond[0] == beyond[1] == pytest.approx(1 - none)
    assert all(more <= less + 1e-12 for less, more in pairwise(beyond))


@given(st.floats(0, 0.99), parts, st.floats(1e-6, 1e6), st.floats(0.01, 0.99))
def test_another_unit_is_another_number_for_the_same(
    none: float, mixture: list[tuple[float, float, float]], factor: float, probability: float
) -> None:
    growth = believed(none, mixture)
    assert growth.scaled(factor).quantile(probability) == pytest.approx(
        factor * growth.quantile(probability), rel=1e-6
    )
    assert growth.scaled(factor).beyond(factor) == pytest.approx(growth.beyond(1.0), abs=1e-9)


def test_the_median_of_one_part_is_its_centre() -> None:
    assert believed(0.0, [(1.0, math.log(500.0), 0.2)]).quantile(0.5) == pytest.approx(500.0)
    assert believed(0.6, [(1.0, math.log(500.0), 0.2)]).quantile(0.5) == 0.0

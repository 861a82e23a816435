"""What readings are rounded to shows in the readings."""

from __future__ import annotations

import numpy as np
import pytest

from soak.analyse.floors.rounding import grain_of

MIB = 2.0**20


@pytest.mark.parametrize("grain", [4096.0, 1e5, MIB, 2.0**30])
def test_the_step_of_a_tool_is_found(grain: float) -> None:
    values = np.rint(np.linspace(8e9, 2e10, 60) / grain) * grain
    assert grain_of(values, 1.0) == pytest.approx(grain, rel=1e-6)


def test_what_is_exact_is_known_to_the_least_step() -> None:
    values = np.random.default_rng(0).integers(10**8, 2 * 10**8, 50).astype(np.float64)
    assert grain_of(values, 4096.0) == 4096.0


@pytest.mark.parametrize("values", [[1e9], [1e9] * 20, [1e9, 2e9, 3e9], [1e17, 2e17, 3e17, 4e17, 5e17]])
def test_few_levels_tell_nothing(values: list[float]) -> None:
    assert grain_of(np.array(values), 4096.0) == 4096.0

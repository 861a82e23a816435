"""What would settle an undecided run: the nearer to a verdict, the less."""

from __future__ import annotations

import math

import pytest

from soak.analyse.decision.forecast import LEANINGS, READINGS, closeness, forecast, kind_of
from soak.analyse.floors.run import Run

RUN = Run(600.0, 300.0)


@pytest.mark.parametrize(("beyond", "close"), [(0.9, 1.0), (0.1, -1.0), (0.5, 0.0)])
def test_closeness_is_one_at_a_verdict(beyond: float, close: float) -> None:
    assert closeness(beyond, 0.9) == pytest.approx(close)


@pytest.mark.parametrize("beyond", [0.0, 0.11, 0.5, 0.89, 1.0])
@pytest.mark.parametrize("readings", [1, 3, 40, 10**9])
def test_every_run_has_a_place_in_the_table(beyond: float, readings: int) -> None:
    row, column = kind_of(readings, closeness(beyond, 0.9))
    assert 0 <= row < len(READINGS) - 1
    assert 0 <= column < len(LEANINGS) - 1


def test_more_is_told_in_seconds_and_connections() -> None:
    told = forecast(0.88, 200, RUN, 0.9)
    assert told is not None
    assert told.more_seconds is not None
    assert told.more_connections == pytest.approx(told.more_seconds / 2)
    assert 0 < told.more_seconds < 20 * RUN.duration_s
    assert math.isfinite(told.more_seconds)

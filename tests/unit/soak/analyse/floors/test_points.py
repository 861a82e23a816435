"""Which points are judged: every reading counts, quiet ones most, and gaps lose nothing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from soak.analyse.floors.lives import Readings
from soak.analyse.floors.points import MOST_POINTS, points_of
from soak.verdict.verdict import Basis

Floats = NDArray[np.float64]


def life(values: Floats, *, t_s: Floats | None = None, at_rest: NDArray[np.bool_] | None = None) -> Readings:
    return Readings(
        t_s=np.arange(values.size, dtype=np.float64) if t_s is None else t_s,
        memory_bytes=values,
        connections=None,
        audio_s=None,
        open_connections=None,
        at_rest=np.zeros(values.size, dtype=bool) if at_rest is None else at_rest,
        swapped=False,
    )


@pytest.mark.parametrize("count", [1, 2, 3, 40, MOST_POINTS])
def test_a_short_series_is_judged_reading_by_reading(count: int) -> None:
    values: Floats = 1e8 + np.arange(count, dtype=np.float64) * 1e5
    points = points_of(life(values))
    assert points.readings == count
    assert list(points.values) == list(values)
    assert list(points.highest) == list(values)


@pytest.mark.parametrize("count", [MOST_POINTS + 1, 300, 604_800])
def test_a_long_series_is_judged_by_floors_of_equally_many_readings(count: int) -> None:
    values = 1e8 + 1e6 * (np.arange(count) % 10 == 9)
    points = points_of(life(values))
    assert points.values.size == MOST_POINTS
    assert set(points.values) <= {1e8, 1e8 + 1e6}
    assert np.median(points.values) == 1e8
    assert points.highest.max() == 1e8 + 1e6
    assert np.all(np.diff(points.t_s) > 0)


def test_spikes_are_above_the_floor() -> None:
    values = np.full(1280, 1e8)
    values[5::10] += 5e7
    points = points_of(life(values))
    assert set(points.values) == {1e8}
    assert set(points.highest) == {1.5e8}


def test_a_gap_takes_no_points_from_what_was_read() -> None:
    t_s = np.concatenate([np.arange(100.0), 1e6 + np.arange(100.0)])
    points = points_of(life(np.full(200, 1e8), t_s=t_s))
    assert points.values.size == MOST_POINTS
    assert (points.t_s < 1000).sum() >= MOST_POINTS // 2 - 1


def test_where_the_server_was_quiet_only_that_is_judged() -> None:
    at_rest = np.arange(1280) % 10 >= 7
    values = np.where(at_rest, 1e8, 1.3e8)
    points = points_of(life(values, at_rest=at_rest))
    assert set(points.values) == {1e8}
    assert points.basis is Basis.REST_WINDOWS
    assert points.windows == 128
    under_load = points_of(life(values))
    assert under_load.basis is Basis.LOAD_ENVELOPE
    assert set(under_load.middle) == {1.3e8}


def test_what_open_connections_weigh_is_taken_out() -> None:
    opened = np.rint(20 + 15 * np.sin(np.arange(600) / 30))
    values = 1e8 + 2e6 * opened
    swinging = life(values)
    known = Readings(**{**swinging.__dict__, "open_connections": opened})
    points = points_of(known)
    assert points.per_open_connection == pytest.approx(2e6, rel=0.05)
    assert np.ptp(points.values) < 0.1 * np.ptp(points_of(swinging).values)

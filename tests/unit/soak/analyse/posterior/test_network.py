"""The trained network gives the answers that it was trained to give, on this machine as on any other."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

import pytest

from soak.analyse.budget import budget_per_second
from soak.analyse.floors.points import points_of
from soak.analyse.posterior import posterior_of
from soak.analyse.settings import JudgeSettings
from soak.learn.seen import readings_of
from soak.learn.world import example

FRESH = 20_261_201
"""A seed that nothing was trained on."""


def test_the_weights_are_small_enough_to_ship() -> None:
    size = len(files("soak.analyse.posterior").joinpath("posterior.onnx").read_bytes())
    assert size < 2_000_000


def test_of_the_worlds_traces_what_is_decided_is_right_as_often_as_it_says() -> None:
    """At 90 % nine in ten must be right; a wrong file of weights is right of half."""
    right, decided, sure = 0, 0, 0.0
    for index in range(400):
        made = example((FRESH, index))
        points = points_of(readings_of(made))
        budget = budget_per_second(points.level, points.length_s, JudgeSettings()) * points.length_s
        beyond = posterior_of(points, made.recorded.grain).beyond(budget)
        if 0.1 < beyond < 0.9:
            continue
        decided += 1
        sure += max(beyond, 1 - beyond)
        right += (beyond > 0.5) == (made.growth > budget)
    assert decided > 120
    assert right / decided > 0.95
    assert right / decided == pytest.approx(sure / decided, abs=0.03)


def test_the_growth_of_the_worlds_leaks_lies_within_its_bounds_as_often_as_it_should() -> None:
    within, leaks = 0, 0
    for index in range(400):
        made = example((FRESH + 1, index))
        if not made.growth:
            continue
        points = points_of(readings_of(made))
        truth = made.growth * points.length_s / made.recorded.t_s[-1]
        believed = posterior_of(points, made.recorded.grain)
        leaks += 1
        within += believed.quantile(0.05) <= truth <= believed.quantile(0.95)
    assert within / leaks == pytest.approx(0.9, abs=0.05)


def test_bytes_and_kilobytes_are_the_same_series() -> None:
    made = example((FRESH + 2, 3))
    life = readings_of(made)
    grain = made.recorded.grain
    points = points_of(life)
    in_bytes = posterior_of(points, grain)
    as_kilobytes = posterior_of(points_of(replace(life, memory_bytes=life.memory_bytes / 1024)), grain / 1024)
    for probability in (0.1, 0.5, 0.9, 0.99):
        assert as_kilobytes.quantile(probability) * 1024 == pytest.approx(
            in_bytes.quantile(probability), rel=1e-3
        )

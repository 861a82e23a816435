"""Short runs with rest windows: the acceptance case, 150 s on a small server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from soak.analyse import JudgeSettings, Series, judge_series
from soak.verdict.reason import ReasonKind
from soak.verdict.verdict import Basis, Label
from soak.words import sentence
from tests.seeds import seeds

if TYPE_CHECKING:
    from collections.abc import Callable

LEAK_BYTES = 64 * 1024.0
SMALL_SERVER = JudgeSettings(min_relative_budget_bytes=2**20)
"""Noise of 100 kB on a level of 100 MB is as much as a quarter of a per cent."""


@pytest.mark.parametrize("seed", seeds(8))
@pytest.mark.parametrize(("windows", "connections"), [(12, 400), (16, 500), (20, 500)])
def test_64_kib_kept_per_connection_is_climbing_and_measured(
    with_rests: Callable[..., Series], windows: int, connections: int, seed: int
) -> None:
    series = with_rests(
        seed=seed,
        windows=windows,
        connections=connections,
        leak_bytes_per_connection=LEAK_BYTES,
        noise_bytes=100e3,
    )
    verdict = judge_series(series)
    assert verdict.label is Label.CLIMBING, verdict.reasons
    assert verdict.basis is Basis.REST_WINDOWS
    assert verdict.growth_per_connection is not None
    assert verdict.growth_per_connection.estimate == pytest.approx(LEAK_BYTES, rel=0.1)


@pytest.mark.parametrize("seed", seeds(8))
@pytest.mark.parametrize("windows", [12, 14, 16])
@pytest.mark.parametrize("warm_up_bytes", [5e6, 15e6])
def test_the_same_server_without_the_leak_is_a_plateau(
    with_rests: Callable[..., Series], windows: int, warm_up_bytes: float, seed: int
) -> None:
    verdict = judge_series(with_rests(seed=seed, windows=windows, warm_up_bytes=warm_up_bytes), SMALL_SERVER)
    assert verdict.label is Label.PLATEAU, verdict.reasons
    assert verdict.level_from_s is not None
    assert verdict.level_from_s < 75


@pytest.mark.parametrize("seed", seeds(20, always=3))
def test_much_noise_is_never_called_climbing(with_rests: Callable[..., Series], seed: int) -> None:
    assert judge_series(with_rests(seed=seed, noise_bytes=400e3)).label is not Label.CLIMBING


def test_a_plateau_says_how_small_a_leak_it_excludes(with_rests: Callable[..., Series]) -> None:
    verdict = judge_series(with_rests())
    assert verdict.minimum_detectable_per_hour > 0
    assert verdict.minimum_detectable_per_connection is not None
    assert verdict.minimum_detectable_per_connection < 16 * 1024
    assert any(reason.kind is ReasonKind.SENSITIVITY for reason in verdict.reasons)
    assert "would not have been called flat" in sentence(verdict.reasons[0])


def test_what_is_not_decided_says_what_would_settle_it(with_rests: Callable[..., Series]) -> None:
    """Over its first few windows a healthy server with 32 decoder threads rises like a leak."""
    verdict = judge_series(
        with_rests(windows=6, connections=200, leak_bytes_per_connection=8e3, warm_up_bytes=10e6)
    )
    assert verdict.label is Label.INCONCLUSIVE
    assert "It leans to " in sentence(verdict.reasons[0])
    assert verdict.reasons[1].kind is ReasonKind.SETTLING


def test_a_few_rest_windows_are_used_as_well(with_rests: Callable[..., Series]) -> None:
    verdict = judge_series(with_rests(windows=3, connections=300))
    assert verdict.basis is Basis.REST_WINDOWS
    assert verdict.label is not Label.CLIMBING, verdict.reasons

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


def test_few_connections_decide_nothing_and_say_how_many_would(with_rests: Callable[..., Series]) -> None:
    verdict = judge_series(with_rests(connections=20))
    assert verdict.label is Label.INCONCLUSIVE
    assert verdict.reasons[0].kind is ReasonKind.TOO_FEW_CONNECTIONS
    assert verdict.settling is not None
    assert verdict.settling.more_connections is not None
    assert verdict.settling.more_connections >= 15


def test_a_plateau_says_how_small_a_leak_it_excludes(with_rests: Callable[..., Series]) -> None:
    verdict = judge_series(with_rests())
    assert 0 < verdict.minimum_detectable_per_hour < 50e6
    assert verdict.minimum_detectable_per_connection is not None
    assert verdict.minimum_detectable_per_connection < 8 * 1024
    assert any(reason.kind is ReasonKind.SENSITIVITY for reason in verdict.reasons)
    assert "would have shown (95 %)" in sentence(verdict.reasons[0])


def test_a_straight_rise_over_a_few_windows_is_not_yet_a_leak(with_rests: Callable[..., Series]) -> None:
    """A healthy server with 32 decoder threads rose like this over its first seven windows."""
    leak = {"connections": 168, "leak_bytes_per_connection": 300e3, "warm_up_bytes": 0.0}
    verdict = judge_series(with_rests(windows=7, **leak))
    assert verdict.label is Label.INCONCLUSIVE
    assert "only 7 points" in sentence(verdict.reasons[0])
    assert judge_series(with_rests(windows=12, **leak)).label is Label.CLIMBING


def test_with_too_few_rest_windows_the_load_is_judged(with_rests: Callable[..., Series]) -> None:
    verdict = judge_series(with_rests(windows=3, connections=300))
    assert verdict.basis is Basis.LOAD_ENVELOPE
    assert verdict.label is Label.PLATEAU, verdict.reasons


def test_growth_under_load_waits_for_rest_windows_before_it_is_a_leak(
    with_rests: Callable[..., Series],
) -> None:
    """The server with 32 decoder threads, before its first seven windows."""
    verdict = judge_series(
        with_rests(windows=4, connections=168, leak_bytes_per_connection=300e3, warm_up_bytes=0.0)
    )
    assert verdict.label is Label.INCONCLUSIVE
    assert "quiet only 4 times" in sentence(verdict.reasons[0])
    assert verdict.settling is not None

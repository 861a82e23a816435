"""Every shape of memory that has been reported, and what the judge says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from soak.analyse import Series, judge_series
from soak.verdict.verdict import Follows, Label
from tests.seeds import seeds

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Shape = Callable[[Floats], NDArray[np.floating[Any]]]

MIB = 2.0**20
KIB = 2.0**10
SEEDS = seeds(2)
RUN_S = 1200.0


def swing(t_s: Floats) -> Floats:
    return np.asarray(np.rint(20 + 15 * np.sin(t_s / RUN_S * 6 * np.pi)), dtype=np.float64)


def published_healthy(t_s: Floats) -> Floats:
    """One connection a second: 6.1 kB each until 1500, 4.1 kB until 3000, nothing after 3300."""
    mib = np.interp(t_s, [0, 50, 500, 1500, 3000, 3300, 4000], [359, 420, 440, 445.8, 451.7, 452, 452])
    return np.multiply(mib, MIB)


FLAT: dict[str, Shape] = {
    "flat": lambda t: np.full(t.size, 500 * MIB),
    "allocator ladder": lambda t: (500 + 10 * np.minimum(np.floor(t / 20), 7)) * MIB,
    "exponential warm-up that ended": lambda t: (800 - 300 * np.exp(-t / 100)) * MIB,
    "early large steps": lambda t: (600 + 600 * (t > 60) + 300 * (t > 200)) * MIB,
    "step and then nothing": lambda t: (500 + 39 * (t > 300)) * MIB,
    "spikes": lambda t: (500 + 200 * (t.astype(int) % 97 == 0)) * MIB,
    "saw-tooth of one minute": lambda t: (500 + 50 * (t % 60) / 60) * MIB,
    "malloc_trim": lambda t: (500 - 80 * (t > 700)) * MIB,
    "huge first run": lambda t: (206 + 5586 * (t > 10)) * MIB,
}

UNFINISHED: dict[str, Shape] = {
    "slow decline": lambda t: (500 - 80 * np.clip((t - 600) / 300, 0, 1)) * MIB,
    "exponential warm-up, a quarter run": lambda t: (800 - 300 * np.exp(-t / 300)) * MIB,
    "exponential warm-up, a whole run": lambda t: (800 - 300 * np.exp(-t / 1200)) * MIB,
    "logarithmic warm-up": lambda t: (300 + 60 * np.log1p(t / 20)) * MIB,
    "small logarithmic warm-up": lambda t: (500 + 5 * np.log1p(t / 20)) * MIB,
    "step late in a flat run": lambda t: (500 + 39 * (t > 1000)) * MIB,
    "step in the middle of a flat run": lambda t: (500 + 39 * (t > 600)) * MIB,
    "saw-tooth of five minutes": lambda t: (500 + 50 * (t % 300) / 300) * MIB,
    "slow swing of the load": lambda t: (540 + 30 * np.sin(t / RUN_S * 4)) * MIB,
}

LEAKS: dict[str, Shape] = {
    "per connection": lambda t: 500 * MIB + 64 * KIB * t,
    "slow": lambda t: 500 * MIB + 8 * KIB * t * 3,
    "noisy": lambda t: (500 + 40 * t / RUN_S) * MIB,
    "in a dozen stairs": lambda t: (500 + 5 * np.floor(t / 100)) * MIB,
    "starting late": lambda t: (500 + 0.1 * np.maximum(t - 500, 0)) * MIB,
    "under a saw-tooth": lambda t: (500 + 50 * (t % 60) / 60 + 0.1 * t) * MIB,
    "after a warm-up": lambda t: (600 - 100 * np.exp(-t / 100) + 0.1 * t) * MIB,
}


@pytest.mark.parametrize("name", FLAT)
@pytest.mark.parametrize("seed", SEEDS)
def test_memory_that_ends_flat_is_a_plateau(under_load: Callable[..., Series], name: str, seed: int) -> None:
    verdict = judge_series(under_load(FLAT[name], seed=seed))
    assert verdict.label is Label.PLATEAU, verdict.reasons
    assert verdict.level is not None
    assert verdict.level_from_s is not None


@pytest.mark.parametrize("name", UNFINISHED)
@pytest.mark.parametrize("seed", SEEDS)
def test_growth_that_may_end_is_never_climbing(
    under_load: Callable[..., Series], name: str, seed: int
) -> None:
    verdict = judge_series(under_load(UNFINISHED[name], seed=seed))
    assert verdict.label is not Label.CLIMBING, verdict.reasons


@pytest.mark.parametrize("name", LEAKS)
@pytest.mark.parametrize("seed", SEEDS)
def test_growth_that_goes_on_is_climbing(under_load: Callable[..., Series], name: str, seed: int) -> None:
    verdict = judge_series(under_load(LEAKS[name], seed=seed))
    assert verdict.label is Label.CLIMBING, verdict.reasons
    assert verdict.level is None
    assert verdict.growth_per_hour.low > 0


@pytest.mark.parametrize("connections", [1000, 1500, 2000, 3000, 3500, 4000])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_published_healthy_server_is_never_climbing_and_a_leak_in_it_is(
    under_load: Callable[..., Series], connections: int, seed: int
) -> None:
    def leaking(t_s: Floats) -> Floats:
        return published_healthy(t_s) + 50 * KIB * t_s

    def run(shape: Shape) -> Series:
        return under_load(
            shape,
            seed=seed,
            readings=connections,
            noise_bytes=0.35 * MIB,
            correlation=0.6,
            connections_per_s=1.0,
        )

    assert judge_series(run(published_healthy)).label is not Label.CLIMBING
    leak = judge_series(run(leaking))
    assert leak.leaning is Label.CLIMBING, leak.reasons
    if connections >= 2000:  # before, the warm-up is most of the growth
        assert leak.label is Label.CLIMBING, leak.reasons
    assert leak.growth_per_connection is not None
    assert leak.growth_per_connection.estimate == pytest.approx(50 * KIB, rel=0.3)


@pytest.mark.parametrize("seed", SEEDS)
def test_memory_that_follows_open_connections_is_judged_at_one_load(
    under_load: Callable[..., Series], seed: int
) -> None:
    healthy = under_load(lambda t: (500 + 2 * swing(t)) * MIB, seed=seed, open_connections=swing)
    leaking = under_load(lambda t: (500 + 2 * swing(t) + 0.1 * t) * MIB, seed=seed, open_connections=swing)
    assert judge_series(healthy).label is Label.PLATEAU
    assert judge_series(leaking).label is Label.CLIMBING


def test_growth_is_said_to_follow_what_it_follows(under_load: Callable[..., Series]) -> None:
    def completed(t_s: Floats) -> Floats:
        return np.asarray(np.floor(np.cumsum(np.where((t_s // 100) % 2 == 0, 4.0, 0.5))), dtype=np.float64)

    for follows, shape in (
        (Follows.CONNECTIONS, lambda t: 500 * MIB + 64 * KIB * completed(t)),
        (Follows.TIME, lambda t: 500 * MIB + 128 * KIB * t),
    ):
        plain = under_load(shape)
        series = Series(plain.t_s, plain.values, connections_completed=completed(plain.t_s))
        verdict = judge_series(series)
        assert verdict.label is Label.CLIMBING
        assert verdict.follows is follows


def test_swapped_out_memory_still_counts(under_load: Callable[..., Series]) -> None:
    plain = under_load(lambda t: np.full(t.size, 300 * MIB))
    verdict = judge_series(Series(plain.t_s, plain.values, swap_bytes=0.1 * MIB * plain.t_s))
    assert verdict.label is Label.CLIMBING
    assert verdict.with_swap

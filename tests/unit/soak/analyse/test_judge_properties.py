"""What must not change a verdict, and what must not turn one into its opposite."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soak.analyse import JudgeSettings, Series, judge_series
from soak.verdict.verdict import Label, SeriesVerdict
from soak.words import sentences

MIB = 2.0**20
READINGS = 160
BUDGET_BYTES_PER_HOUR = 20 * MIB

few = settings(max_examples=settings().max_examples // 25, deadline=None, derandomize=True)
"""Every example is a run or two to judge; `.ci/nightly` asks for ten times as many."""
seeds = st.integers(0, 10_000)
leaks_bytes_per_s = st.sampled_from([0.0, 2e3, 10e3, 50e3, 200e3])
warm_ups_bytes = st.sampled_from([0.0, 20e6, 100e6])


def make(
    seed: int, leak: float, warm_up: float, *, scale: float = 1.0, shift: float = 0.0, clock: float = 1.0
) -> Series:
    t_s = np.linspace(0.0, 5.0 * (READINGS - 1), READINGS)
    noise = np.random.default_rng(seed).normal(0.0, 0.5e6, READINGS)
    memory = 500e6 + warm_up * (1 - np.exp(-t_s / 60)) + leak * t_s + noise
    return Series(t_s=t_s * clock + 7.0, values=memory * scale + shift, connections_completed=t_s * 2)


def judged(series: Series, *, scale: float = 1.0) -> SeriesVerdict:
    budget = BUDGET_BYTES_PER_HOUR * scale
    return judge_series(series, JudgeSettings(max_growth_bytes_per_hour=budget))


@few
@given(seeds, leaks_bytes_per_s, warm_ups_bytes, st.floats(0, 2e9))
def test_a_constant_on_top_never_reverses_it(seed: int, leak: float, warm_up: float, shift: float) -> None:
    plain, moved = judged(make(seed, leak, warm_up)), judged(make(seed, leak, warm_up, shift=shift))
    assert {plain.label, moved.label} != {Label.PLATEAU, Label.CLIMBING}


@few
@given(seeds, leaks_bytes_per_s, warm_ups_bytes, st.floats(0.5, 16))
def test_memory_times_k_is_growth_times_k(seed: int, leak: float, warm_up: float, scale: float) -> None:
    plain = judge_series(make(seed, leak, warm_up))
    larger = judge_series(make(seed, leak, warm_up, scale=scale))
    assert plain.label is larger.label
    assert np.isclose(
        plain.growth_per_hour.estimate * scale,
        larger.growth_per_hour.estimate,
        rtol=0.05,
        atol=1e5 * scale,
    )


@few
@given(seeds, leaks_bytes_per_s, warm_ups_bytes, st.sampled_from([0.5, 2.0, 60.0, 3600.0]))
def test_a_slower_clock_keeps_the_verdict(seed: int, leak: float, warm_up: float, clock: float) -> None:
    plain, slower = (
        judge_series(make(seed, leak, warm_up)),
        judge_series(make(seed, leak, warm_up, clock=clock)),
    )
    assert plain.label is slower.label


@few
@given(seeds, st.sampled_from([0.0, 100e3, 300e3]), warm_ups_bytes)
def test_taking_every_other_reading_never_reverses_it(seed: int, leak: float, warm_up: float) -> None:
    full = make(seed, leak, warm_up)
    assert full.connections_completed is not None
    half = Series(full.t_s[::2], full.values[::2], full.connections_completed[::2])
    assert {judge_series(half).label, judge_series(full).label} != {Label.PLATEAU, Label.CLIMBING}


@few
@given(seeds, st.sampled_from([0.0, 300e3]))
def test_reading_twice_as_often_keeps_the_verdict(seed: int, leak: float) -> None:
    once = make(seed, leak, 0.0)
    t_s = np.sort(np.concatenate([once.t_s, once.t_s + 2.5]))
    twice = Series(t_s, np.repeat(once.values, 2))
    assert judge_series(twice).label is judge_series(Series(once.t_s, once.values)).label


@few
@given(seeds, leaks_bytes_per_s, warm_ups_bytes, st.sampled_from([5e3, 50e3, 500e3]))
def test_a_larger_leak_never_turns_climbing_into_plateau(
    seed: int, leak: float, warm_up: float, more: float
) -> None:
    if judged(make(seed, leak, warm_up)).label is Label.CLIMBING:
        assert judged(make(seed, leak + more, warm_up)).label is not Label.PLATEAU


@few
@given(seeds, st.sampled_from([50e3, 200e3]), warm_ups_bytes, st.integers(0, READINGS - 20))
def test_a_gap_does_not_reverse_it(seed: int, leak: float, warm_up: float, begin: int) -> None:
    whole = make(seed, leak, warm_up)
    memory = whole.values.copy()
    memory[begin : begin + 20] = np.nan
    assert judge_series(Series(whole.t_s, memory, whole.connections_completed)).label is not Label.PLATEAU


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 1e5),
            st.one_of(st.none(), st.floats(-1e9, 1e12), st.just(0.0), st.just(float("inf"))),
            st.one_of(st.none(), st.floats(-10, 1e6)),
            st.sampled_from(["load", "rest", ""]),
        ),
        max_size=60,
    )
)
def test_any_series_gets_an_answer(rows: list[tuple[float, float | None, float | None, str]]) -> None:
    rows.sort(key=lambda row: row[0])
    series = Series(
        t_s=np.array([row[0] for row in rows]),
        values=np.array([np.nan if row[1] is None else row[1] for row in rows]),
        connections_completed=np.array([np.nan if row[2] is None else row[2] for row in rows]),
        open_connections=np.array([np.nan if row[2] is None else row[2] for row in rows]),
        phase=np.array([row[3] for row in rows], dtype=np.str_),
    )
    verdict = judge_series(series)
    assert verdict.reasons
    assert all("nan" not in said for said in sentences(verdict.reasons))


@few
@given(seeds, leaks_bytes_per_s, warm_ups_bytes, st.floats(0.6, 0.99), st.floats(0.01, 1000))
def test_no_number_of_a_verdict_contradicts_another(
    seed: int, leak: float, warm_up: float, confidence: float, budget_mib_per_hour: float
) -> None:
    asked = JudgeSettings(confidence=confidence, max_growth_bytes_per_hour=budget_mib_per_hour * MIB)
    verdict = judge_series(make(seed, leak, warm_up), asked)
    growth, budget = verdict.growth_per_hour, verdict.budget_per_hour * (1 + 1e-9)
    assert 0 <= growth.low <= growth.estimate <= growth.high
    beyond = verdict.probability_climbing
    if verdict.label is Label.PLATEAU:
        assert growth.high <= budget
        assert beyond <= 1 - confidence
    elif verdict.label is Label.CLIMBING:
        assert growth.low >= budget * (1 - 1e-6)
        assert beyond >= confidence
    else:
        assert growth.low <= budget
        assert growth.high >= budget * (1 - 1e-6)
    assert verdict.leaning is (Label.CLIMBING if growth.estimate > budget else Label.PLATEAU)


@few
@given(seeds, leaks_bytes_per_s, warm_ups_bytes)
def test_a_larger_budget_is_never_exceeded_more_surely(seed: int, leak: float, warm_up: float) -> None:
    """What is accepted does not change what is believed."""
    series = make(seed, leak, warm_up)
    beyond = [
        judge_series(series, JudgeSettings(max_growth_bytes_per_hour=budget)).probability_climbing
        for budget in np.geomspace(1e4, 1e10, 9)
    ]
    assert beyond == sorted(beyond, reverse=True)


@pytest.mark.parametrize("leak_bytes_per_s", [0.0, 50e3], ids=["flat", "late leak"])
def test_more_certainty_takes_more_evidence(leak_bytes_per_s: float) -> None:
    t_s = np.arange(1200.0)
    noise = np.random.default_rng(0).normal(0.0, 0.3 * MIB, t_s.size)
    warm = (800 - 300 * np.exp(-t_s / 80)) * MIB
    series = Series(t_s=t_s, values=warm + leak_bytes_per_s * np.maximum(t_s - 500, 0) + noise)
    assert judge_series(series).label is (Label.CLIMBING if leak_bytes_per_s else Label.PLATEAU)
    assert judge_series(series, JudgeSettings(confidence=0.99999)).label is Label.INCONCLUSIVE

"""Readings that are few, broken or absurd: a stated inconclusive or one line of error, never a traceback."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soak.analyse import Series, judge_series
from soak.json_values import without_nan
from soak.verdict.verdict import Label, SeriesVerdict
from soak.words import sentences

if TYPE_CHECKING:
    from numpy.typing import NDArray

READINGS = 3600
T_S = np.arange(READINGS, dtype=np.float64)
LEVEL_BYTES = 500e6
FLAT: NDArray[np.float64] = LEVEL_BYTES + np.random.default_rng(0).uniform(0, 80e3, READINGS)
LEAK: NDArray[np.float64] = FLAT + 50_000.0 * T_S

NUMBERS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(1e6, 1e10),
    st.sampled_from([0.0, -1.0, math.nan, math.inf, 1e18, 5e-324]),
)


def _can_be_written(verdict: SeriesVerdict) -> bool:
    """Whether its reasons are JSON and have words."""
    facts = without_nan([reason.to_json_object() for reason in verdict.reasons])
    json.dumps(facts, allow_nan=False)
    return all(sentences(verdict.reasons))


@pytest.mark.parametrize(
    "memory",
    [
        pytest.param([], id="empty"),
        pytest.param([LEVEL_BYTES], id="one sample"),
        pytest.param([LEVEL_BYTES] * 2, id="two samples"),
        pytest.param([math.nan] * 500, id="all NaN"),
        pytest.param([math.inf] * 500, id="all infinite"),
        pytest.param([math.nan] * 499 + [LEVEL_BYTES], id="one among NaN"),
    ],
)
def test_too_little_to_judge_is_inconclusive_with_a_reason(memory: list[float]) -> None:
    verdict = judge_series(
        Series(t_s=np.arange(len(memory), dtype=np.float64), values=np.asarray(memory, dtype=np.float64))
    )
    assert verdict.label is Label.INCONCLUSIVE
    assert verdict.reasons
    assert _can_be_written(verdict)


def test_all_readings_at_one_moment_are_inconclusive() -> None:
    assert judge_series(Series(t_s=np.zeros(READINGS), values=FLAT)).label is Label.INCONCLUSIVE


@pytest.mark.parametrize("gap", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(("memory", "label"), [(FLAT, Label.PLATEAU), (LEAK, Label.CLIMBING)])
def test_failed_readings_in_between_are_gaps(memory: NDArray[np.float64], label: Label, gap: float) -> None:
    holed = memory.copy()
    holed[::7] = gap
    assert judge_series(Series(t_s=T_S, values=holed)).label is label


@pytest.mark.parametrize(("memory", "label"), [(FLAT, Label.PLATEAU), (LEAK, Label.CLIMBING)])
def test_every_reading_written_twice_changes_nothing(memory: NDArray[np.float64], label: Label) -> None:
    assert judge_series(Series(t_s=np.repeat(T_S, 2), values=np.repeat(memory, 2))).label is label


@pytest.mark.parametrize(
    ("t_s", "memory", "words"),
    [
        ([0, 1, 3, 2], [1, 1, 1, 1], "time goes backwards at reading 4: 2 s comes after 3 s"),
        ([0, 1, 2], [1, 1], "rss_bytes has 2 readings where t_s has 3"),
        ([0, 1], [1, 1e19], "rss_bytes holds 1e\\+19, which is no possible reading"),
        ([0, 1], ["many", "more"], "rss_bytes holds something that is not a number"),
    ],
)
def test_what_cannot_be_a_series_is_told_in_one_line(
    t_s: list[float], memory: list[float], words: str
) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        Series(t_s=np.array(t_s, dtype=np.float64), values=np.asarray(memory))
    assert "\n" not in str(caught.value)


@settings(deadline=None, max_examples=150)
@given(
    memory=st.lists(NUMBERS, max_size=120),
    steps_s=st.lists(st.one_of(st.floats(0, 1e4), st.just(math.nan)), min_size=120, max_size=120),
    load=st.none() | st.lists(NUMBERS, min_size=120, max_size=120),
    phase=st.none() | st.lists(st.sampled_from(["load", "rest", ""]), min_size=120, max_size=120),
)
def test_no_numbers_end_in_a_traceback(
    memory: list[float], steps_s: list[float], load: list[float] | None, phase: list[str] | None
) -> None:
    size = len(memory)
    t_s = np.cumsum(np.nan_to_num(np.array(steps_s[:size], dtype=np.float64)))
    t_s[np.isnan(steps_s[:size])] = np.nan
    try:
        series = Series(
            t_s=t_s,
            values=np.array(memory, dtype=np.float64),
            connections_completed=None if load is None else np.array(load[:size]),
            open_connections=None if load is None else np.array(load[:size]),
            phase=None if phase is None else np.array(phase[:size], dtype=np.str_),
        )
    except ValueError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either outcome is right
        return
    verdict = judge_series(series)
    assert _can_be_written(verdict)

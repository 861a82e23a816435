"""Bad input is refused in one line or answered with "inconclusive"; restarts are seen and not imagined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from soak.analyse import JudgeSettings, Series, judge_series
from soak.verdict.verdict import Label
from soak.words import sentence, sentences

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 2.0**20


def array(*values: float) -> Any:
    return np.array(values, dtype=np.float64)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ((array(1, 3, 2), array(1, 1, 1)), "time goes backwards at reading 3: 2 s comes after 3 s"),
        ((array(1, 2, 3), array(1, 1)), "rss_bytes has 2 readings where t_s has 3"),
        ((np.array(["a", "b"]), array(1, 2)), "t_s holds something that is not a number"),
        ((np.ones((2, 2)), np.ones((2, 2))), "t_s must be one column"),
        ((array(1, 2), array(1, 1e300)), "no possible reading"),
    ],
)
def test_what_is_no_series_is_refused_in_one_line(columns: tuple[Any, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        Series(*columns)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("t_s", "rss_bytes", "words"),
    [
        (array(), array(), "never read"),
        (array(1), array(1e8), "Only 1 reading to judge: a trend needs three"),
        (array(1, 2), array(1e8, 1e8), "Only 2 readings"),
        (np.arange(100.0), np.full(100, np.nan), "never read"),
        (np.arange(100.0), np.zeros(100), "never read"),
        (np.full(100, 5.0), np.full(100, 1e8), "Only 1 reading"),
    ],
)
def test_too_little_is_inconclusive_and_says_why(t_s: Any, rss_bytes: Any, words: str) -> None:
    verdict = judge_series(Series(t_s, rss_bytes))
    assert verdict.label is Label.INCONCLUSIVE
    assert words in sentence(verdict.reasons[0])


def test_repeated_times_and_counters_that_never_move_do_no_harm() -> None:
    repeated = Series(np.repeat(np.arange(200.0), 3), np.full(600, 1e8), connections_completed=np.zeros(600))
    verdict = judge_series(repeated)
    assert verdict.label is Label.PLATEAU
    assert verdict.growth_per_connection is None


def test_a_leak_that_was_killed_twice_is_judged_on_its_last_life(under_load: Callable[..., Series]) -> None:
    verdict = judge_series(under_load(lambda t: (200 + 2 * (t % 400)) * MIB))
    assert verdict.restarts == 2
    assert verdict.restarts_at_s == (400.0, 800.0)
    assert verdict.label is Label.CLIMBING
    assert any("last life" in said for said in sentences(verdict.reasons))


def test_a_restart_behind_a_gap_is_seen(under_load: Callable[..., Series]) -> None:
    plain = under_load(lambda t: (200 + 0.2 * (t % 600)) * MIB)
    t_s = np.where(plain.t_s >= 600, plain.t_s + 90.0, plain.t_s)
    assert judge_series(Series(t_s, plain.values)).restarts == 1


def test_a_restart_that_resets_the_counter_is_seen(under_load: Callable[..., Series]) -> None:
    plain = under_load(lambda t: (200 + 0.2 * (t % 600)) * MIB)
    verdict = judge_series(Series(plain.t_s, plain.values, connections_completed=plain.t_s % 600))
    assert verdict.restarts == 1


def test_a_trim_and_a_saw_tooth_are_no_restarts(under_load: Callable[..., Series]) -> None:
    assert judge_series(under_load(lambda t: np.where(t < 600, 478.0, 375.0) * MIB)).restarts == 0
    assert judge_series(under_load(lambda t: (500 + 100 * (t % 90) / 90) * MIB)).restarts == 0


def test_memory_that_goes_with_the_connections_is_no_restart(under_load: Callable[..., Series]) -> None:
    def open_at(t_s: Any) -> Any:
        return np.where(t_s % 400 < 200, 2000.0, 0.0)

    rounds = under_load(lambda t: (100 + 0.2 * open_at(t)) * MIB, open_connections=open_at)
    assert judge_series(rounds).restarts == 0
    unknown = Series(rounds.t_s, rounds.values)
    assert judge_series(unknown).restarts > 0


def test_a_client_that_starts_counting_anew_is_no_restart(under_load: Callable[..., Series]) -> None:
    plain = under_load(lambda t: 500 * MIB + 65536 * t)
    verdict = judge_series(Series(plain.t_s, plain.values, connections_completed=plain.t_s % 400))
    assert verdict.restarts == 0
    assert verdict.growth_per_connection is not None
    assert verdict.growth_per_connection.estimate == pytest.approx(65536, rel=0.05)


def test_the_budget_given_decides(under_load: Callable[..., Series]) -> None:
    series = under_load(lambda t: 500 * MIB + 20e3 * t)
    generous = JudgeSettings(max_growth_bytes_per_hour=200 * MIB)
    strict = JudgeSettings(max_growth_bytes_per_hour=1 * MIB)
    assert judge_series(series, generous).label is Label.PLATEAU
    assert judge_series(series, strict).label is Label.CLIMBING


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_growth_bytes_per_hour": 0.0}, "above 0 bytes per hour, not 0"),
        ({"relative_budget": 2.0}, "relative_budget must be between 0 and 1"),
        ({"confidence": 0.5}, "the confidence must be above 0.5 and below 1, not 0.5"),
        ({"confidence": 1.0}, "the confidence must be above 0.5 and below 1, not 1"),
        ({"grain_bytes": 0.0}, "grain_bytes must be above 0"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        JudgeSettings(**settings)

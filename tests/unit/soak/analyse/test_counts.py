"""Descriptors, threads, sockets and sessions: what an operator calls a leak, and what not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from soak.analyse import Series
from soak.analyse.counts import CountSettings, judge_counts
from soak.verdict.quantities import JUDGED_COUNTS, Quantity
from soak.verdict.reason import ReasonKind
from soak.verdict.verdict import Label, SeriesVerdict
from soak.words import sentence

if TYPE_CHECKING:
    from collections.abc import Callable

Floats = NDArray[np.float64]
MIB = 2.0**20


@dataclass(frozen=True, eq=False)
class Load:
    """Steady arrivals: twenty blocks of 25 connections with a rest after each, or the same without rests."""

    t_s: Floats
    completed: Floats
    opened: Floats
    phase: NDArray[np.str_] | None

    def beside(self, memory: Floats | float = 100 * MIB) -> Series:
        return Series(
            t_s=self.t_s,
            values=np.broadcast_to(np.asarray(memory, dtype=np.float64), self.t_s.shape),
            connections_completed=self.completed,
            open_connections=self.opened,
            phase=self.phase,
        )


def with_rests() -> Load:
    t_s = np.arange(400.0)
    block, within = np.divmod(t_s, 20.0)
    completed = 25 * block + np.minimum(25, 2.5 * within)
    opened = np.where(within < 12, 1 + within % 3, 0)
    return Load(t_s, np.floor(completed), opened, np.where(within < 12, "load", "rest"))


def without_rests() -> Load:
    t_s = np.arange(1200.0)
    opened = np.random.default_rng(2).poisson(6, t_s.size).astype(float)
    return Load(t_s, np.floor(t_s / 2.4), opened, None)


LOADS: dict[str, Callable[[], Load]] = {"with rests": with_rests, "without rests": without_rests}


@pytest.fixture(params=sorted(LOADS))
def load(request: pytest.FixtureRequest) -> Load:
    return LOADS[request.param]()


def judged(
    load: Load, counts: Floats, column: Quantity = Quantity.DESCRIPTORS, **options: Any
) -> SeriesVerdict:
    return judge_counts({column: counts}, load.beside(), **options)[column]


def test_a_descriptor_kept_per_connection_climbs_and_is_said_in_counts(load: Load) -> None:
    verdict = judged(load, 12 + load.opened + load.completed)
    assert verdict.label is Label.CLIMBING
    each = verdict.growth_per_connection
    assert each is not None
    assert each.estimate == pytest.approx(1, rel=0.03)
    assert each.low <= each.estimate <= each.high
    assert sentence(verdict.reasons[0]).startswith("File descriptors climb: ")
    assert f"{verdict.start:.0f} at the start, {verdict.end:.0f} at the end" in sentence(verdict.reasons[0])
    assert " B" not in sentence(verdict.reasons[0])


def test_one_descriptor_kept_in_fifty_connections_climbs(load: Load) -> None:
    verdict = judged(load, 12 + load.opened + load.completed // 50)
    assert verdict.label is Label.CLIMBING
    each = verdict.growth_per_connection
    assert each is not None
    assert each.estimate == pytest.approx(1 / 50, rel=0.25)


def test_a_pool_that_grows_to_its_size_and_stays_does_not_climb(load: Load) -> None:
    verdict = judged(load, 10 + np.minimum(load.completed / 2, 32).round(), Quantity.THREADS)
    assert verdict.label is Label.PLATEAU
    assert (verdict.start, verdict.end, verdict.peak) == (10, 42, 42)
    assert sentence(verdict.reasons[0]).startswith("Threads do not climb: at most ")


@pytest.mark.parametrize("level", [0.0, 12.0, 4000.0])
def test_a_constant_does_not_climb_at_any_level(load: Load, level: float) -> None:
    verdict = judged(load, np.full(load.t_s.size, level))
    assert verdict.label is Label.PLATEAU
    assert verdict.growth_per_hour.estimate == pytest.approx(0, abs=1e-6)
    assert (verdict.start, verdict.end, verdict.peak) == (level, level, level)


def test_what_swings_with_the_open_connections_does_not_climb(load: Load) -> None:
    assert judged(load, 12 + 2 * load.opened).label is Label.PLATEAU


def test_a_few_late_steps_are_no_leak(load: Load) -> None:
    end_s = load.t_s[-1]
    steps = sum((load.t_s > share * end_s).astype(float) for share in (0.35, 0.6, 0.85))
    assert judged(load, 12 + load.opened + steps).label is not Label.CLIMBING


def test_a_pool_of_thousands_may_change_by_one_percent() -> None:
    load = with_rests()
    counts = 4000 + np.round(30 * load.t_s / load.t_s[-1])
    assert judged(load, counts).label is Label.PLATEAU
    strict = CountSettings(max_more_share=0.001)
    assert judged(load, counts, count_settings=strict).label is Label.CLIMBING


def test_sessions_kept_at_rest_climb_and_are_said_to_be_left() -> None:
    load = with_rests()
    verdict = judged(load, load.opened + load.completed // 10, Quantity.SESSIONS)
    assert verdict.label is Label.CLIMBING
    assert verdict.at_rest == 50
    assert sentence(verdict.reasons[-1]) == (
        "Live sessions do not return to zero: 50 are left in the last quiet window."
    )


def test_sessions_that_swing_under_load_and_end_at_rest_are_a_plateau_at_zero() -> None:
    load = with_rests()
    within = load.t_s % 20
    freed_late = np.where(within < 12, 3 * load.opened, np.maximum(0, 4 - (within - 12)))
    verdict = judged(load, freed_late, Quantity.SESSIONS)
    assert verdict.label is Label.PLATEAU
    assert verdict.at_rest == 0
    assert [reason.kind for reason in verdict.reasons] == [ReasonKind.WITHIN_BUDGET]


def test_what_is_read_more_seldom_than_memory_is_judged_as_well() -> None:
    load = with_rests()
    counts = 5 + load.completed
    counts[1::2] = np.nan
    verdict = judged(load, counts)
    assert verdict.label is Label.CLIMBING
    assert verdict.growth_per_connection is not None
    assert verdict.growth_per_connection.estimate == pytest.approx(1, rel=0.03)


def test_only_the_last_life_counts() -> None:
    load = with_rests()
    counts = np.where(load.t_s < 100, 500 + load.t_s, 12)
    verdict = judged(load, counts, since_s=100.0)
    assert verdict.label is Label.PLATEAU
    assert (verdict.start, verdict.peak) == (12, 12)


def test_columns_that_are_absent_or_empty_or_unknown_have_no_verdict() -> None:
    load = with_rests()
    empty = np.full(load.t_s.size, np.nan)
    assert judge_counts({}, load.beside()) == {}
    assert judge_counts({"fds": empty, "sockets": -1 + 0 * empty}, load.beside()) == {}
    assert judge_counts({"processes": load.completed}, load.beside()) == {}


def test_they_are_told_in_one_order_whatever_the_order_of_the_columns() -> None:
    load = with_rests()
    counts: dict[str, Floats] = dict.fromkeys(reversed(JUDGED_COUNTS), load.opened)
    assert list(judge_counts(counts, load.beside())) == list(JUDGED_COUNTS)


def test_two_readings_are_too_few() -> None:
    whole = with_rests()
    load = Load(whole.t_s[:2], whole.completed[:2], whole.opened[:2], None)
    verdict = judged(load, 12 + load.opened)
    assert verdict.label is Label.INCONCLUSIVE
    assert "too few readings" in sentence(verdict.reasons[0])
    assert sentence(verdict.reasons[1]).startswith("To settle it: about ")


def test_impossible_counts_are_refused_by_name() -> None:
    load = with_rests()
    with pytest.raises(ValueError, match=r"^fds holds 1e\+20, which is no possible reading$"):
        judged(load, load.completed + 1e20)
    with pytest.raises(ValueError, match=r"^fds has 2 readings where t_s has 400$"):
        judged(load, np.zeros(2))


@pytest.mark.parametrize("fields", [{"max_more": 0.0}, {"max_more_share": 1.0}])
def test_settings_out_of_range_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="max_more"):
        CountSettings(**fields)

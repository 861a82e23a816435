"""Watching a run: when it is looked at, what each look may spend, and what stands in between."""

from __future__ import annotations

from dataclasses import fields
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soak.analyse import JudgeSettings, Series, judge_series
from soak.analyse.sequential import Horizon, Look, LookSchedule, SequentialJudge
from soak.verdict.verdict import Estimate, Label, SeriesVerdict
from tests.seeds import seeds

if TYPE_CHECKING:
    from collections.abc import Callable

KNOWN = Estimate(1.0, 0.0, 2.0)
UNKNOWN = Estimate(float("nan"), float("nan"), float("nan"))
HOUR_S = 3600.0
ERROR = 1 - JudgeSettings().plateau_confidence


def series(until_s: float, connections: float | None = None) -> Series:
    t_s = np.linspace(0.0, until_s, 50)
    counted = None if connections is None else np.linspace(0.0, connections, 50)
    return Series(t_s=t_s, values=np.full(50, 1e8), connections_completed=counted)


class Scripted:
    """Says what it is told to say, in turn (the last again and again), and keeps what it was asked with."""

    def __init__(self, *says: Label | None, restarts_at_s: tuple[float, ...] = ()) -> None:
        self.asked: list[JudgeSettings] = []
        self._says = list(says)
        self._restarts_at_s = restarts_at_s

    def __call__(self, _series: Series, settings: JudgeSettings) -> SeriesVerdict:
        self.asked.append(settings)
        label = self._says.pop(0) if len(self._says) > 1 else self._says[0]
        return cast(
            "SeriesVerdict",
            SimpleNamespace(
                label=label or Label.INCONCLUSIVE,
                growth_per_hour=UNKNOWN if label is None else KNOWN,
                restarts_at_s=self._restarts_at_s,
            ),
        )


def watch(rule: SequentialJudge, *at_s: float) -> list[Look | None]:
    return [rule.offer(series(each)) for each in at_s]


def spent(asked: list[JudgeSettings]) -> tuple[float, float]:
    """Return the errors spent, as shares of the whole errors of the defaults."""
    whole = JudgeSettings()
    return (
        sum(1 - each.plateau_confidence for each in asked) / (1 - whole.plateau_confidence),
        sum(1 - each.climbing_confidence for each in asked) / (1 - whole.climbing_confidence),
    )


def test_a_look_is_due_each_time_the_run_has_grown_by_a_quarter() -> None:
    rule = SequentialJudge(judge_once=Scripted(Label.INCONCLUSIVE))
    taken = [look.t_s for look in watch(rule, 100, 110, 124, 126, 150, 158, 190, 198) if look]
    assert taken == [100, 126, 158, 198]
    assert rule.last is not None
    assert rule.last.number == 4


@given(
    first=st.floats(0.001, 0.99),
    steps=st.lists(st.floats(1.0001, 3.0), max_size=80),
)
def test_however_often_it_is_offered_it_spends_no_more_than_the_whole_error(
    first: float, steps: list[float]
) -> None:
    says = Scripted(Label.INCONCLUSIVE)
    rule = SequentialJudge(horizon=Horizon(HOUR_S), judge_once=says)
    at_s = first * HOUR_S
    for step in [1.0, *steps]:
        at_s *= step
        rule.offer(series(at_s))
    rule.conclude(series(HOUR_S))
    assert max(spent(says.asked)) <= 1 + 1e-9
    assert 1 - says.asked[-1].plateau_confidence == pytest.approx(0.8 * ERROR)


def test_without_an_end_the_error_lasts_for_ever() -> None:
    says = Scripted(Label.INCONCLUSIVE)
    rule = SequentialJudge(judge_once=says)
    watch(rule, *(10 * 1.25**k for k in range(60)))
    assert len(says.asked) == 60
    assert 0.98 < max(spent(says.asked)) < 1


def test_a_look_that_could_not_decide_anything_costs_nothing() -> None:
    says = Scripted(None, None, None, Label.INCONCLUSIVE)
    rule = SequentialJudge(horizon=Horizon(1000), judge_once=says)
    numbers = [look.number for look in watch(rule, 10, 11, 12, 100, 101, 125) if look]
    assert numbers == [0, 0, 0, 1, 2]
    # as though the first look had been at a tenth of the run: eleven such looks come before its end
    assert 1 - says.asked[-1].plateau_confidence == pytest.approx(0.2 * ERROR / 11)


def test_a_verdict_stands_when_two_looks_in_a_row_say_it_and_falls_with_the_first_that_does_not() -> None:
    says = Scripted(
        Label.CLIMBING, Label.PLATEAU, Label.CLIMBING, Label.CLIMBING, Label.CLIMBING, Label.INCONCLUSIVE
    )
    rule = SequentialJudge(judge_once=says)
    standing = [look.standing for look in watch(rule, *(100 * 1.3**k for k in range(6))) if look]
    undecided, climbing = Label.INCONCLUSIVE, Label.CLIMBING
    assert standing == [undecided, undecided, undecided, climbing, climbing, undecided]
    assert rule.standing is undecided


def test_the_last_look_needs_no_other_and_ends_the_watch() -> None:
    rule = SequentialJudge(horizon=Horizon(1000), judge_once=Scripted(Label.PLATEAU))
    assert rule.standing is Label.INCONCLUSIVE
    assert rule.offer(series(1200)) is None  # past its end a run is only looked at to conclude
    assert rule.conclude(series(1200)).standing is Label.PLATEAU
    assert rule.offer(series(2000)) is None


def test_a_relative_budget_is_that_of_the_whole_run() -> None:
    says = Scripted(Label.INCONCLUSIVE)
    rule = SequentialJudge(JudgeSettings(relative_budget=0.01), Horizon(1000), judge_once=says)
    watch(rule, 100, 500)
    rule.conclude(series(1000))
    assert [each.relative_budget for each in says.asked] == pytest.approx([0.001, 0.005, 0.01])


def test_after_a_restart_the_budget_is_for_the_life_that_is_judged() -> None:
    says = Scripted(Label.INCONCLUSIVE, restarts_at_s=(300.0,))
    rule = SequentialJudge(JudgeSettings(relative_budget=0.01), Horizon(1000), judge_once=says)
    watch(rule, 400, 600)
    assert says.asked[-1].relative_budget == pytest.approx(0.01 * 300 / 1000)


def test_a_budget_given_in_bytes_stays() -> None:
    says = Scripted(Label.INCONCLUSIVE)
    settings = JudgeSettings(max_growth_bytes_per_hour=1e6)
    watch(SequentialJudge(settings, Horizon(1000), judge_once=says), 100)
    changed = {
        field.name
        for field in fields(settings)
        if getattr(settings, field.name) != getattr(says.asked[0], field.name)
    }
    confidences = {"plateau_confidence", "climbing_confidence"}
    assert changed == confidences | {"still_running"}


def test_an_end_in_connections_is_an_end() -> None:
    says = Scripted(Label.INCONCLUSIVE)
    rule = SequentialJudge(horizon=Horizon(connections=1000), judge_once=says)
    rule.offer(series(60, connections=100))
    assert 1 - says.asked[0].plateau_confidence == pytest.approx(0.2 * ERROR / 11)
    assert Horizon(100.0, 10).share_done(20.0, 5) == 0.5  # whichever comes first
    assert Horizon().share_done(20.0, 5) is None


def test_nothing_read_is_nothing_to_look_at() -> None:
    empty = Series(t_s=np.array([]), values=np.array([]))
    rule = SequentialJudge(horizon=Horizon(1000))
    assert rule.offer(empty) is None
    assert rule.conclude(empty).standing is Label.INCONCLUSIVE


@pytest.mark.parametrize(
    "wrong",
    [
        {"growth": 1.0},
        {"share_at_end": 0.0},
        {"share_at_end": 1.0},
        {"looks_to_climb": 0},
        {"looks_to_plateau": 0},
    ],
)
def test_a_schedule_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LookSchedule(**wrong)  # type: ignore[arg-type]  # keywords of several types


def _words(whole: Series, *, offers: int = 30) -> tuple[list[Label], Look]:
    """Watch a series as it grows; return what stood after each offer, and the last look."""
    rule = SequentialJudge(horizon=Horizon(float(whole.t_s[-1])))
    stood = []
    for at in range(1, offers):
        seen = whole.t_s <= whole.t_s[-1] * at / offers
        rule.offer(whole.part(seen))
        stood.append(rule.standing)
    return stood, rule.conclude(whole)


@pytest.mark.parametrize("seed", seeds(4))
def test_flat_memory_is_never_called_climbing_however_often_it_is_looked_at(
    under_load: Callable[..., Series], seed: int
) -> None:
    whole = under_load(lambda t_s: 500e6 + 0 * t_s, seed=seed, readings=2400, connections_per_s=1.0)
    stood, last = _words(whole)
    assert Label.CLIMBING not in stood
    assert last.standing is Label.PLATEAU


@pytest.mark.parametrize("seed", seeds(4))
def test_a_warm_up_that_ends_is_never_called_climbing(under_load: Callable[..., Series], seed: int) -> None:
    whole = under_load(
        lambda t_s: 400e6 + 200e6 * (1 - np.exp(-t_s / 40)), seed=seed, readings=2400, connections_per_s=1.0
    )
    stood, _ = _words(whole)
    assert Label.CLIMBING not in stood


@pytest.mark.parametrize("seed", seeds(4))
def test_a_leak_stands_long_before_the_end_and_is_never_called_a_plateau(
    under_load: Callable[..., Series], seed: int
) -> None:
    whole = under_load(lambda t_s: 400e6 + 30e3 * t_s, seed=seed, readings=2400, connections_per_s=1.0)
    stood, last = _words(whole)
    assert Label.PLATEAU not in stood
    assert Label.CLIMBING in stood[: len(stood) // 2]
    assert last.standing is Label.CLIMBING


def test_a_look_can_be_had_again_from_its_settings(under_load: Callable[..., Series]) -> None:
    whole = under_load(lambda t_s: 500e6 + 0 * t_s, connections_per_s=1.0)
    look = SequentialJudge(horizon=Horizon(5000.0)).offer(whole)
    assert look is not None
    again = judge_series(whole, look.settings)
    assert (again.label, again.reasons) == (look.verdict.label, look.verdict.reasons)

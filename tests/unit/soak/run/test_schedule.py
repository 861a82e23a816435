"""Sampling instants: no drift over a day, missed ones counted, costly readings rationed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soak.run.schedule import FixedSchedule, TimeBudget


def test_a_day_of_late_services_does_not_drift() -> None:
    schedule = FixedSchedule(start_s=1000.0, interval_s=1.0)
    for _ in range(86_400):
        schedule.take(schedule.next_due_s() + 0.3)  # each one served 0.3 s late
    assert schedule.next_due_s() == 1000.0 + 86_400


def test_instants_that_passed_unserved_are_counted_once() -> None:
    schedule = FixedSchedule(start_s=0.0, interval_s=1.0)
    assert schedule.take(0.0).missed == 0
    tick = schedule.take(4.2)  # 1, 2 and 3 passed; 4 is served late
    assert (tick.index, tick.missed, tick.due_s) == (4, 3, 4.0)
    assert schedule.take(5.0).missed == 0


@given(st.lists(st.floats(0, 30), min_size=1, max_size=50), st.floats(0.1, 10))
def test_every_instant_is_either_served_or_missed(pauses_s: list[float], interval_s: float) -> None:
    schedule = FixedSchedule(0.0, interval_s)
    now_s = 0.0
    accounted = 0
    for pause_s in pauses_s:
        now_s = max(now_s + pause_s, schedule.next_due_s())
        tick = schedule.take(now_s)
        accounted += 1 + tick.missed
        assert tick.index == accounted - 1


@pytest.mark.parametrize("interval_s", [0.0, -1.0, float("nan")])
def test_an_interval_that_is_none_is_refused(interval_s: float) -> None:
    with pytest.raises(ValueError, match="interval must be above 0"):
        FixedSchedule(0.0, interval_s)


def test_a_costly_reading_takes_no_more_than_its_share_of_the_time() -> None:
    budget = TimeBudget(share=0.001, at_least_every_s=10.0)
    assert budget.allows(0.0)
    budget.spent(0.0, 0.015)  # 15 ms, as for 1.5 GB
    assert not budget.allows(14.9)
    assert budget.allows(15.0)
    budget.spent(15.0, 15.0001)  # a cheap one still waits for the shortest interval
    assert not budget.allows(24.9)
    assert budget.allows(25.0)

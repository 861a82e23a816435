import pytest
from hypothesis import given
from hypothesis import strategies as st

from soak.load.arrivals import Intensity
from soak.load.arrivals.constant_rate import ArrivalSchedule, ConstantRate, round_down_rate
from soak.plugins import OptionError


def starts(schedule: ArrivalSchedule, until_s: float, room: int = 100) -> list[tuple[float, int]]:
    """Follow the schedule from due time to due time, always with room."""
    started = []
    now_s = schedule.due_s
    while now_s < until_s:
        started.append((now_s, schedule.arrivals(now_s, room)))
        wait_s = schedule.wait_s(now_s)
        assert wait_s is not None
        now_s += wait_s
    return started


def test_arrivals_come_one_by_one_at_the_rate() -> None:
    started = starts(ArrivalSchedule(rate_per_s=4, group=1, start_s=100), until_s=102)
    assert [now_s for now_s, _ in started] == [100 + n / 4 for n in range(8)]
    assert {count for _, count in started} == {1}


def test_a_group_arrives_together_and_keeps_the_rate() -> None:
    started = starts(ArrivalSchedule(rate_per_s=4, group=8, start_s=0), until_s=10)
    assert started == [(0, 8), (2, 8), (4, 8), (6, 8), (8, 8)]


def test_nothing_arrives_before_it_is_due() -> None:
    schedule = ArrivalSchedule(rate_per_s=1, group=1, start_s=5)
    assert schedule.arrivals(4.999, room=1) == 0
    assert schedule.wait_s(4.5) == pytest.approx(0.5)


def test_a_late_caller_does_not_shift_the_schedule() -> None:
    schedule = ArrivalSchedule(rate_per_s=10, group=1, start_s=0)
    count = sum(schedule.arrivals(n * 0.1 + 0.03, room=1) for n in range(36_000))
    assert count == 36_000
    assert schedule.due_s == pytest.approx(3600)


def test_arrivals_that_find_the_cap_reached_wait_are_counted_once_and_never_bunch_up() -> None:
    schedule = ArrivalSchedule(rate_per_s=10, group=1, start_s=0)
    assert schedule.arrivals(0.0, room=1) == 1
    for tick in range(10, 500):  # the server hangs for five seconds: fifty arrivals' worth
        assert schedule.arrivals(tick / 100, room=0) == 0
        assert schedule.wait_s(tick / 100) is None
    assert schedule.arrivals_delayed == 1
    assert schedule.arrivals(5.02, room=1) == 1
    assert schedule.arrivals(5.03, room=1) == 0
    assert schedule.due_s == pytest.approx(5.1)


def test_a_group_waits_until_all_of_it_fits() -> None:
    schedule = ArrivalSchedule(rate_per_s=4, group=4, start_s=0)
    assert schedule.arrivals(0.0, room=3) == 0
    assert schedule.arrivals(0.1, room=4) == 4
    assert schedule.arrivals_delayed == 4


@given(
    rate=st.floats(0.01, 1000),
    group=st.integers(1, 64),
    steps=st.lists(st.tuples(st.floats(0, 30), st.integers(0, 128)), max_size=60),
)
def test_the_offered_rate_is_never_exceeded(rate: float, group: int, steps: list[tuple[float, int]]) -> None:
    schedule = ArrivalSchedule(rate, group, start_s=0)
    now_s, total = 0.0, 0
    for step_s, room in steps:
        now_s += step_s
        started = schedule.arrivals(now_s, room)
        assert started in {0, group}
        assert started <= room
        total += started
        # one group at the start, one for every period that has passed, and a whisker for rounding
        assert total <= group + now_s * rate * (1 + 1e-9) + 1e-6


@pytest.mark.parametrize(
    ("measured", "used"),
    [(100, 100), (99.9, 70), (12.3, 10), (9.99, 7), (6.4, 5), (2.9, 2), (1.9, 1.5), (0.3, 0.3), (0.08, 0.07)],
)
def test_a_calibrated_rate_is_rounded_down_to_a_series(measured: float, used: float) -> None:
    assert round_down_rate(measured) == used


@given(st.floats(1e-3, 1e4))
def test_rounding_never_goes_up_and_never_below_two_thirds(rate: float) -> None:
    assert 0.59 * rate <= round_down_rate(rate) <= rate * (1 + 1e-6)


def test_a_measured_rate_is_half_of_what_the_server_can_take_and_within_its_bound() -> None:
    rate = ConstantRate()
    assert rate.measured_rate_per_s(Intensity(None, 10.0, 1, 1), 5.0) == 2
    assert rate.measured_rate_per_s(Intensity(None, 10.0, 1, 1), 500.0) == 10
    assert rate.planned_rate_per_s(Intensity(4.0, 10.0, 1, 1)) == 4.0


def test_a_group_that_can_never_be_open_together_is_refused() -> None:
    with pytest.raises(OptionError, match=r"group \(4\) is above"):
        ConstantRate().check(Intensity(None, 10.0, group=4, max_open=2))

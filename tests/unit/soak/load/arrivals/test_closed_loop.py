from soak.load.arrivals import Intensity
from soak.load.arrivals.closed_loop import ClosedLoop, retry_delay_s


def test_every_place_is_taken_and_nothing_is_done_before_one_is_free() -> None:
    intensity = Intensity(rate_per_s=3.0, max_rate_per_s=10.0, group=8, max_open=5)
    closed = ClosedLoop()
    assert closed.planned_rate_per_s(intensity) is None
    assert closed.measured_rate_per_s(intensity, 40.0) is None
    process = closed.begin(intensity, 40.0, start_s=0.0)
    assert process.arrivals(0.0, room=5) == 5
    assert process.wait_s(0.0) is None
    assert process.arrivals_delayed == 0


def test_a_client_backs_off_from_a_dead_server_but_not_for_long() -> None:
    assert retry_delay_s(0) == 0
    delays_s = [retry_delay_s(failures) for failures in range(1, 10_000)]
    assert delays_s == sorted(delays_s)
    assert delays_s[0] > 0
    assert delays_s[-1] == 2

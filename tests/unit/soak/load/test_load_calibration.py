import pytest

from soak.load.calibration import CalibrationLimits, ThroughputMeter


def test_throughput_is_measured_after_the_warm_up_and_does_not_depend_on_which_clips_came() -> None:
    meter = ThroughputMeter(warm_up=2, mean_clip_s=2.0)
    meter.add(10.0, 2.0)
    meter.add(20.0, 2.0)  # slow, but only warming up
    for now_s, audio_s in [(21.0, 4.0), (21.5, 2.0), (21.75, 1.0)]:  # a quarter of a second per audio second
        meter.add(now_s, audio_s)
    assert meter.throughput_per_s(elapsed_s=22) == pytest.approx(2.0)


@pytest.mark.parametrize(("completions", "expected"), [(0, 0.1), (1, 0.1), (2, 0.2)])
def test_throughput_of_too_few_completions_is_counted_over_the_whole_time(
    completions: int, expected: float
) -> None:
    meter = ThroughputMeter(warm_up=4, mean_clip_s=2.0)
    for n in range(completions):
        meter.add(n, 2.0)
    assert meter.throughput_per_s(elapsed_s=10) == pytest.approx(expected)


def test_a_calibration_takes_no_more_than_its_share_of_the_run() -> None:
    limits = CalibrationLimits.of(max_open=4, settle_s=6.0, duration_s=60.0, connections=21)
    assert (limits.shortest_s, limits.longest_s) == (6.0, 12.0)
    assert (limits.completions, limits.connections) == (12, 4)
    long = CalibrationLimits.of(max_open=1, settle_s=0.0, duration_s=None, connections=None)
    assert (long.shortest_s, long.longest_s) == (3.0, 15.0)
    assert long.connections > 10**9

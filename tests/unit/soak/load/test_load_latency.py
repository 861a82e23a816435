import random

import pytest

from soak.load.latency import RELATIVE_ACCURACY, LatencySketch


def test_quantiles_are_within_the_promised_accuracy() -> None:
    generator = random.Random(1)
    seconds = [generator.lognormvariate(-2, 1) for _ in range(20_001)]
    sketch = LatencySketch()
    for value in seconds:
        sketch.add(value)
    quantiles = sketch.whole_run()
    assert quantiles is not None
    ordered = sorted(seconds)
    assert quantiles.count == 20_001
    for measured, rank in [(quantiles.p50, 10_000), (quantiles.p95, 19_000), (quantiles.p99, 19_800)]:
        assert measured == pytest.approx(1000 * ordered[rank], rel=1.1 * RELATIVE_ACCURACY)


def test_an_interval_forgets_and_the_run_does_not() -> None:
    sketch = LatencySketch()
    assert sketch.take_interval() is None
    assert sketch.whole_run() is None
    sketch.add(0.1)
    first = sketch.take_interval()
    assert first is not None
    assert first.p50 == pytest.approx(100, rel=RELATIVE_ACCURACY)
    assert sketch.take_interval() is None
    sketch.add(10.0)
    second = sketch.take_interval()
    assert second is not None
    assert second.count == 1
    assert second.p50 == pytest.approx(10_000, rel=RELATIVE_ACCURACY)
    whole = sketch.whole_run()
    assert whole is not None
    assert whole.count == 2


def test_a_latency_of_nothing_is_allowed() -> None:
    sketch = LatencySketch()
    sketch.add(0.0)
    quantiles = sketch.whole_run()
    assert quantiles is not None
    assert quantiles.p99 == 0

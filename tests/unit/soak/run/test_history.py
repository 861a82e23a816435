"""What the live view remembers stays bounded, and keeps the shape of the run."""

import numpy as np

from soak.run.history import History


def _row(second: int) -> dict[str, float | int | str | None]:
    phase = "rest" if second % 10 == 0 else "load"
    return {"t_s": float(second), "rss_bytes": 1000 + second, "connections_completed": second, "phase": phase}


def test_a_run_longer_than_the_memory_is_thinned_evenly() -> None:
    history = History(capacity=100)
    for second in range(10_000):
        history.append(_row(second))
    kept = history.recent_rss_bytes(100)
    assert len(history) == len(kept) <= 100
    assert kept[0] < 1200
    assert kept[-1] > 10_800
    steps = np.diff(kept)
    assert steps.min() == steps.max()


def test_readings_that_failed_are_not_drawn() -> None:
    history = History(capacity=10)
    history.append({"t_s": 0.0, "rss_bytes": None, "phase": "load"})
    history.append(_row(1))
    assert history.recent_rss_bytes(8) == [1001.0]


def test_the_course_covers_the_whole_run_in_a_few_points() -> None:
    history = History()
    for second in range(1000):
        history.append(_row(second))
    course = history.recent_rss_bytes(10)
    assert len(course) == 10
    assert course == sorted(course)
    assert course[0] < 1100
    assert course[-1] > 1900

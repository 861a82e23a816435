"""What growth follows is told where the load lets it be told, and then rightly."""

from __future__ import annotations

from collections import Counter

import numpy as np

from soak.analyse.floors.axes import growth_follows
from soak.analyse.floors.points import points_of
from soak.learn.seen import readings_of
from soak.learn.world import example


def test_what_is_told_of_the_worlds_leaks_is_right_nineteen_times_of_twenty() -> None:
    told: Counter[bool] = Counter()
    for index in range(1200):
        made = example((7, index))
        points = points_of(readings_of(made))
        large = made.growth > 20 * float(np.median(np.abs(np.diff(points.values)))) + 0.01 * points.level
        if made.axis is None or points.connections is None or not large:
            continue
        follows = growth_follows(points)
        if follows is not None:
            told[str(follows) == str(made.axis)] += 1
    assert told.total() > 15
    assert told[True] / told.total() > 0.9

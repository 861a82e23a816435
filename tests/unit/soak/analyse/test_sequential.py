"""When a growing run is looked at, and when what looks say stands."""

from __future__ import annotations

from typing import Any

import pytest

from soak.analyse.sequential import Looks, LookSchedule
from soak.verdict.verdict import Label

PLATEAU, CLIMBING, INCONCLUSIVE = Label.PLATEAU, Label.CLIMBING, Label.INCONCLUSIVE


def test_a_look_is_due_when_the_run_has_grown_by_a_quarter() -> None:
    looks = Looks()
    assert not looks.due(0.0)
    assert looks.due(10.0)
    looks.take(10.0, INCONCLUSIVE)
    assert not looks.due(12.4)
    assert looks.due(12.5)
    assert looks.taken == 1


@pytest.mark.parametrize("label", [PLATEAU, CLIMBING])
def test_a_verdict_stands_when_the_next_look_agrees(label: Label) -> None:
    looks = Looks()
    assert looks.take(10.0, label) is INCONCLUSIVE
    assert looks.take(12.5, label) is label
    assert looks.standing is label


def test_a_look_that_disagrees_takes_it_back() -> None:
    looks = Looks()
    for elapsed_s in (10.0, 12.5):
        looks.take(elapsed_s, PLATEAU)
    assert looks.take(16.0, CLIMBING) is INCONCLUSIVE
    assert looks.take(20.0, CLIMBING) is CLIMBING


def test_undecided_looks_never_stand_as_a_verdict() -> None:
    looks = Looks(LookSchedule(looks_to_stand=1))
    assert looks.take(10.0, INCONCLUSIVE) is INCONCLUSIVE
    assert looks.take(12.5, INCONCLUSIVE) is INCONCLUSIVE
    assert looks.take(16.0, PLATEAU) is PLATEAU


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"growth": 1.0}, "growth must be above 1"), ({"looks_to_stand": 0}, "at least 1")],
)
def test_a_schedule_out_of_range_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LookSchedule(**fields)

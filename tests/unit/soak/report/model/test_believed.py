"""The picture of what a verdict rests on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from soak.report.model.pictures.believed import AHEAD_SHARE, believed_courses
from soak.verdict.quantities import Quantity
from soak.verdict.reason import Reason, ReasonKind
from soak.verdict.run_verdict import Failure
from soak.verdict.verdict import UNKNOWN, Estimate, JudgedPoints, Label, SeriesVerdict
from tests.unit.soak.report.synthetic import joined, told, with_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.record import Run
    from soak.report.model import ReportModel
    from soak.verdict.run_verdict import RunVerdict

MIB = 2.0**20
HOUR_S = 3600.0


@pytest.fixture
def verdict() -> SeriesVerdict:
    """An hour, of which the first half was warm-up; then 4 MiB an hour, or 1 to 9."""
    t_s = np.linspace(0.0, HOUR_S, 7)
    return SeriesVerdict(
        quantity=Quantity.MEMORY,
        label=Label.INCONCLUSIVE,
        reasons=(),
        start=90 * MIB,
        peak=110 * MIB,
        growth_per_hour=Estimate(4 * MIB, 1 * MIB, 9 * MIB),
        confidence=0.95,
        budget_per_hour=2 * MIB,
        trend_line=((HOUR_S / 2, 100 * MIB), (HOUR_S, 102 * MIB)),
        points=JudgedPoints(t_s, np.full(7, 100 * MIB), None),
    )


def test_the_courses_fan_out_from_the_end_of_warm_up_to_after_the_run(
    verdict: SeriesVerdict,
) -> None:
    courses = believed_courses(verdict)
    assert courses is not None
    assert courses.t_s.tolist() == [HOUR_S / 2, HOUR_S, (1 + AHEAD_SHARE) * HOUR_S]
    for course, each_hour in ((courses.low, 1), (courses.median, 4), (courses.high, 9), (courses.budget, 2)):
        assert course is not None
        assert course == pytest.approx([(100 + each_hour * hours) * MIB for hours in (0, 0.5, 0.7)])
    assert courses.label == "believed: +4 MiB/h"
    assert courses.band_label == "each edge 95 % sure"
    assert courses.budget_label == "budget: 2 MiB/h"


def test_of_a_process_that_died_nothing_is_foretold(
    verdict: SeriesVerdict, judged: Callable[[str], tuple[Run, RunVerdict]]
) -> None:
    courses = believed_courses(verdict, ahead=False)
    assert courses is not None
    assert courses.to_s == HOUR_S
    run, made = judged("leaking")
    died = Failure(Reason(ReasonKind.SERVER_DIED, {"t_s": 600.0, "how": "killed"}), died=True)
    memory = told(run, joined(replace(made.evidence, failure=died))).memory
    assert memory is not None
    assert memory.believed is not None
    assert memory.believed.to_s <= run.samples["t_s"].iloc[-1]


def test_what_was_not_judged_has_no_courses(verdict: SeriesVerdict) -> None:
    assert believed_courses(replace(verdict, growth_per_hour=UNKNOWN)) is None
    assert believed_courses(replace(verdict, trend_line=None)) is None
    assert believed_courses(replace(verdict, points=None)) is None
    unbudgeted = believed_courses(replace(verdict, budget_per_hour=float("nan")))
    assert unbudgeted is not None
    assert unbudgeted.budget is None


def test_the_picture_of_memory_has_room_ahead_and_the_others_do_not(
    model: Callable[[str], ReportModel],
) -> None:
    made = model("leaking")
    assert made.memory is not None
    assert made.memory.believed is not None
    assert made.memory.axis.to_s == made.memory.believed.to_s > made.axis.to_s
    assert made.memory.axis.last_sample_s == made.axis.last_sample_s


@pytest.mark.parametrize("high", [None, 1e12])
def test_a_close_view_holds_points_median_and_budget_and_of_the_band_what_fits(
    judged: Callable[[str], tuple[Run, RunVerdict]], high: float | None
) -> None:
    run, made = judged("healthy")
    hourly = made.memory.growth_per_hour
    wide = with_memory(made, growth_per_hour=hourly if high is None else replace(hourly, high=high))
    memory = told(run, wide).memory
    assert memory is not None
    assert memory.believed is not None
    assert memory.believed.budget is not None
    assert memory.floors is not None
    assert memory.close_bounds_bytes is not None
    bottom, top = memory.close_bounds_bytes
    tail = memory.floors.values[memory.floors.t_s >= memory.believed.t_s[0]]
    seen = np.concatenate([tail, memory.believed.median, memory.believed.budget])
    assert bottom < seen.min()
    assert seen.max() < top
    assert top - bottom < 3 * (seen.max() - seen.min())


def test_a_band_that_is_wider_than_the_readings_leaves_them_room(
    judged: Callable[[str], tuple[Run, RunVerdict]],
) -> None:
    run, made = judged("healthy")
    hourly = replace(made.memory.growth_per_hour, high=1e12)
    wide = told(run, with_memory(made, growth_per_hour=hourly)).memory
    assert wide is not None
    low, high = wide.extremes_bytes
    bottom, top = wide.bounds_bytes
    assert top - bottom < 4 * max(high - low, 0.1 * high)

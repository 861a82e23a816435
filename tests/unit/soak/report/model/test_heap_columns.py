"""The heap of any server is told, whoever read it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from soak.report.model.pictures.charts import StackChart
from tests.unit.soak.report.synthetic import told

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.record import Run
    from soak.verdict.run_verdict import RunVerdict

    Judged = Callable[[str], tuple[Run, RunVerdict]]

MIB = 2**20


def test_a_heap_that_was_read_from_outside_is_drawn_and_told(judged: Judged) -> None:
    run, verdict = judged("attached")
    now_and_then = np.arange(len(run.samples)) % 30 == 0
    samples = run.samples.assign(
        heap_in_use_bytes=np.where(now_and_then, 50.0 * MIB, np.nan),
        heap_free_bytes=np.where(now_and_then, 8.0 * MIB, np.nan),
    )
    model = told(replace(run, samples=samples), verdict)
    (heap,) = (chart for chart in model.small_charts if chart.key == "heap")
    assert isinstance(heap, StackChart)
    assert [list(layer.values) for layer in heap.layers] == [[50.0] * 20, [8.0] * 20]
    assert ("heap in use", "50 MiB") in {(course.label, course.end) for course in model.courses}


def test_what_the_verdict_rests_on_is_told_once(judged: Judged) -> None:
    run, verdict = judged("healthy")
    model = told(replace(run, samples=run.samples.assign(heap_in_use_bytes=1.0 * MIB)), verdict)
    assert [course.end for course in model.courses if course.label == "heap in use"] == ["1 MiB"]


def test_the_servers_own_report_is_told_where_arenas_are_part_of_it(judged: Judged) -> None:
    run, verdict = judged("healthy")
    samples = run.samples.assign(heap_in_use_bytes=1.0 * MIB, server_arena_held_bytes=2.0 * MIB)
    model = told(replace(run, samples=samples), verdict)
    ends = [course.end for course in model.courses if course.label == "heap in use"]
    assert len(ends) == 1
    assert ends != ["1 MiB"]

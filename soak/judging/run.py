"""Judging a recorded run: its parts one by one, then together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.advice.advise import advise
from soak.analyse import JudgeSettings, judge_series
from soak.analyse.attributing import attribute
from soak.analyse.counts import judge_counts
from soak.analyse.heap import judge_heap
from soak.errors import SoakError
from soak.judging.advice_context import advice_context
from soak.judging.ending import failure_of, final_look_reason, notes_of
from soak.judging.judgement import Judgement
from soak.judging.recorded import held_bytes, numbers, recorded_settings, series_of
from soak.quantity import counted_in
from soak.record.events import FinalLook
from soak.record.final_look import seen_by
from soak.record.transcripts import Transcripts
from soak.record.whereabouts import readings_of
from soak.verdict.combine import combine
from soak.verdict.quantities import JUDGED_COUNTS
from soak.verdict.run_verdict import RunEvidence
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from soak.analyse import Series
    from soak.record import Run
    from soak.verdict.attribution import Attribution
    from soak.verdict.quantities import Quantity
    from soak.verdict.verdict import SeriesVerdict

HEAP_IN_USE = "server_heap_in_use_bytes"
"""The column of heap in use, as the server says it."""


@dataclass(frozen=True)
class _Heap:
    """What became of heap in use."""

    verdict: SeriesVerdict | None
    from_outside: bool

    @property
    def climbs(self) -> bool:
        """Whether what the program holds climbs, as seen from outside."""
        return self.from_outside and self.verdict is not None and self.verdict.label is Label.CLIMBING


def judge_run(
    run: Run, settings: JudgeSettings | None = None, *, limit_bytes: int | None = None
) -> Judgement:
    """Judge the samples of `run`, and take into account how it ended.

    Without `settings` those of the run's own configuration hold, without `limit_bytes` the memory limit that
    was recorded. Raises `SoakError` with one line when the samples cannot be judged at all.
    """
    settings = settings or recorded_settings(run)
    transcripts = Transcripts.of(run)
    look = run.last_event(FinalLook)
    if look is not None:
        run = seen_by(look, run)
    try:
        evidence = _evidence(run, settings, look)
    except ValueError as error:
        raise SoakError(f"{run.path}: {error}") from error
    with counted_in(None if run.origin is None else run.origin.step):
        advice = advise(evidence.memory, advice_context(run, limit_bytes))
    return Judgement(combine(evidence, advice), transcripts, run.origin)


def _evidence(run: Run, settings: JudgeSettings, look: FinalLook | None) -> RunEvidence:
    """Judge each part of a run: of a server that was restarted the counts and the heap of its last life."""
    series = series_of(run.samples)
    memory = judge_series(series, settings)
    counts = judge_counts(
        {column: values for column in JUDGED_COUNTS if (values := numbers(run.samples, column)) is not None},
        series,
        since_s=memory.last_life_began_s,
        settings=settings,
    )
    heap = _heap(run, series, memory, settings)
    return RunEvidence(
        memory=memory,
        heap=heap.verdict,
        heap_from_outside=heap.from_outside,
        resources=counts,
        attribution=_attribution(run, memory, heap, counts),
        failure=failure_of(run),
        final_look=None if look is None else final_look_reason(look, memory),
        notes=notes_of(run),
    )


def _heap(run: Run, series: Series, memory: SeriesVerdict, settings: JudgeSettings) -> _Heap:
    """Judge heap in use: as read from outside, else as the server says it where memory is no plateau."""
    held = held_bytes(run.samples)
    if held is not None:
        judged = judge_heap(held, series, since_s=memory.last_life_began_s, settings=settings)
        return _Heap(judged, from_outside=True)
    said = numbers(run.samples, HEAP_IN_USE)
    if said is None or memory.label is Label.PLATEAU:
        return _Heap(None, from_outside=False)
    judged = judge_heap(said, series, since_s=memory.last_life_began_s, settings=settings)
    return _Heap(judged, from_outside=False)


def _attribution(
    run: Run, memory: SeriesVerdict, heap: _Heap, counts: Mapping[Quantity, SeriesVerdict]
) -> Attribution | None:
    """Say where the growth of the last life sits, and what it is where something climbs."""
    readings = readings_of(run)
    if readings is None:
        return None
    return attribute(
        readings,
        since_s=memory.last_life_began_s,
        judged_from_s=memory.warm_up_end_s,
        memory_climbs=memory.label is Label.CLIMBING,
        heap_climbs=heap.climbs,
        climbing=[name for name, each in counts.items() if each.label is Label.CLIMBING],
    )

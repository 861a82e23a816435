"""Judging a run while it goes on: what stands, since when, and whether the run may end on it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from soak.analyse.sequential import Horizon, LookSchedule, SequentialJudge
from soak.judging import judge_run
from soak.quantity import format_bytes, format_count, format_count_rate, format_level
from soak.record import read_run
from soak.record.events import FinalLook, Growth, VerdictChanged
from soak.record.recorded import LARGEST
from soak.run.daemon_thread import in_daemon_thread
from soak.run.resource_watch import ResourceWatch
from soak.verdict.verdict import Follows, Label
from soak.words import NAMES, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from soak.analyse import Series
    from soak.analyse.sequential import Look
    from soak.config import SoakConfig
    from soak.record import RunDirectory
    from soak.verdict.quantities import Quantity
    from soak.verdict.run_verdict import RunVerdict
    from soak.verdict.verdict import Estimate, SeriesVerdict


@dataclass(frozen=True)
class Standing:
    """A verdict that stands in the middle of a run."""

    label: Label
    """Plateau or climbing."""
    since: datetime
    """When it began to stand, in UTC."""
    connections: float
    """Connections completed by then; 0 where they are not counted."""
    verdict: SeriesVerdict
    """What the newest look says of memory: of RSS, or of heap in use where that decides."""
    resources: Mapping[Quantity, SeriesVerdict] = field(default_factory=dict)
    """Other resources whose climb stands, by column; if there are any, the label is climbing."""

    def in_words(self) -> str:
        """Return one line such as "climbing since 14:02, after 312 connections: +64 KiB per connection".

        Where other resources climb they are named: "…: file descriptors, +1.00 per connection".
        """
        since = self.since.astimezone()
        day = "" if since.date() == datetime.now(UTC).astimezone().date() else f"{since:%d %b} "
        words = f"{self.label} since {day}{since:%H:%M}"
        if self.connections:
            words += f", after {format_count(self.connections)} connections"
        if self.resources:
            return f"{words}: {'; '.join(_count_growth(*each) for each in self.resources.items())}"
        return f"{words}: {_level_or_growth(self.verdict)}"


class _HeapInARow:
    """How many looks in a row the record was decided by heap in use, and the same way."""

    def __init__(self, schedule: LookSchedule) -> None:
        self._schedule = schedule
        self._label = Label.INCONCLUSIVE
        self._looks = 0

    def take(self, recorded: RunVerdict) -> SeriesVerdict | None:
        """Return what heap in use says once it stands, as often as is asked of RSS; None before."""
        heap = recorded.heap
        if heap is None or not recorded.evidence.heap_from_outside or heap.label is not recorded.memory_label:
            self._label, self._looks = Label.INCONCLUSIVE, 0
            return None
        self._looks = self._looks + 1 if heap.label is self._label else 1
        self._label = heap.label
        decided = heap.label is not Label.INCONCLUSIVE
        return heap if decided and self._looks >= self._schedule.looks_to_stand(heap.label) else None


class VerdictWatch:
    """Looks at a run as often as its error allows, records every change of what stands, and may end it.

    Used by one task.
    """

    def __init__(
        self, config: SoakConfig, directory: RunDirectory, schedule: LookSchedule | None = None
    ) -> None:
        """Begin to watch the run that is recorded in `directory`."""
        self._configured = config.judge
        self._load = config.load
        self._directory = directory
        schedule = schedule or LookSchedule()
        self._judge = SequentialJudge(
            config.judge, Horizon(config.load.duration_s, config.load.connections), schedule
        )
        self._resources = ResourceWatch(schedule.looks_to_climb)
        self._held = _HeapInARow(schedule)
        self.last: Look | None = None
        """The newest look."""
        self.last_verdict: SeriesVerdict | RunVerdict | None = None
        """What it said of memory; of the whole record, where that does not bear it out."""
        self.standing: Standing | None = None
        """What stands, if anything does."""

    async def look(
        self, series: Series, counts: Mapping[str, NDArray[np.float64]], *, heap_was_read: bool = False
    ) -> bool:
        """Look at the run so far if a look is due; return whether one was taken.

        `counts` are descriptors, threads, sockets and sessions at the same times, by column. A change of what
        stands is recorded as the event `verdict`. Raises `SoakError` when that cannot be written. With
        `heap_was_read` what heap in use says from outside counts, too: it decides sooner than RSS can.

        The record on disk, judged whole (memory, heap in use, and the counts)
        as it will be judged from now on, has the last word: nothing stands that `soak analyze` would call
        inconclusive.
        """
        look = await in_daemon_thread(lambda: self._judge.offer(series), "judge memory")
        if look is None:
            return False
        resources = await in_daemon_thread(
            lambda: self._resources.look(counts, series, look), "judge resources"
        )
        label = Label.CLIMBING if resources else look.standing
        said: SeriesVerdict | RunVerdict = look.verdict
        growing = look.verdict
        if heap_was_read or label is not Label.INCONCLUSIVE or look.verdict.leaning is Label.CLIMBING:
            recorded = await in_daemon_thread(lambda: self._judged_from_record(look), "judge record")
            held = self._held.take(recorded)
            if held is not None and not resources:
                label, growing = held.label, held
            if recorded.label is not label or label is Label.INCONCLUSIVE:
                said, label, resources = recorded, Label.INCONCLUSIVE, {}
        self.last, self.last_verdict = look, said
        before = Label.INCONCLUSIVE if self.standing is None else self.standing.label
        known = () if self.standing is None else tuple(self.standing.resources)
        if label is not before or tuple(resources) != known:
            self._directory.append_event(_changed(label, before, look, said, resources))
        if label is Label.INCONCLUSIVE:
            self.standing = None
        elif self.standing is None or label is not before:
            self.standing = Standing(label, datetime.now(UTC), look.connections, growing, resources)
        else:
            self.standing = replace(self.standing, verdict=growing, resources=resources)
        return True

    def ends_the_run(self) -> bool:
        """Return whether the run may end on what stands; then that is recorded as the event `final_look`."""
        if self.last is None or self.standing is None or not self._load.until_decided:
            return False
        self._directory.append_event(self._final(self.last, self.standing.label, stopped_early=True))
        return True

    def conclude(self, series: Series) -> None:
        """Look for the last time at a run until decided that has come to its end undecided.

        What is left of the error is recorded as the event `final_look`; a run of planned length is simply
        judged by its settings.
        """
        if self._load.until_decided:
            look = self._judge.conclude(series)
            self._directory.append_event(self._final(look, look.verdict.label, stopped_early=False))

    def _final(self, look: Look, label: Label, *, stopped_early: bool) -> FinalLook:
        return FinalLook(
            verdict=label,
            up_to_s=look.t_s,
            stopped_early=stopped_early,
            looks=look.number,
            duration_s=self._load.duration_s,
            connections=self._load.connections,
            judge=look.settings.differing_from(self._configured),
        )

    def _judged_from_record(self, look: Look) -> RunVerdict:
        run = read_run(self._directory.path)
        final = self._final(look, look.verdict.label, stopped_early=False)
        return judge_run(replace(run, events=(*run.events, final))).verdict


def _changed(
    label: Label,
    before: Label,
    look: Look,
    said: SeriesVerdict | RunVerdict,
    resources: Mapping[Quantity, SeriesVerdict],
) -> VerdictChanged:
    """Return the event with what a look says; a resource that climbs is the reason before memory is."""
    reasons = [one.reasons[0] for one in resources.values()] + list(said.reasons[:1])
    return VerdictChanged(
        verdict=label,
        was=before,
        look=look.number,
        up_to_s=look.t_s,
        connections=look.connections,
        growth_bytes_per_hour=_growth(look.verdict.growth_per_hour),
        growth_bytes_per_connection=_growth(look.verdict.growth_per_connection),
        plateau_confidence=look.settings.plateau_confidence,
        climbing_confidence=look.settings.climbing_confidence,
        resources=tuple(map(str, resources)),
        reason=sentence(reasons[0]) if reasons else "",
    )


def _growth(growth: Estimate | None) -> Growth | None:
    if growth is None or not abs(growth.estimate) <= LARGEST:
        return None
    low, high = (end if abs(end) <= LARGEST else None for end in (growth.low, growth.high))
    return Growth(estimate=growth.estimate, low=low, high=high)


def _level_or_growth(verdict: SeriesVerdict) -> str:
    if verdict.label is Label.PLATEAU:
        return format_level(verdict.level)
    growth, follows = verdict.growth
    unit = "per connection" if follows is Follows.CONNECTIONS else "per hour"
    return f"{format_bytes(growth.estimate, signed=True)} {unit}"


def _count_growth(quantity: Quantity, verdict: SeriesVerdict) -> str:
    growth, follows = verdict.growth
    unit = "per connection" if follows is Follows.CONNECTIONS else "per hour"
    return f"{NAMES[quantity].lower()}, +{format_count_rate(growth.estimate)} {unit}"

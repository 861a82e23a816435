"""Judging a run while it goes on: what stands, since when, and whether the run may end on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from soak.analyse.sequential import Looks, LookSchedule
from soak.judging import judge_run
from soak.quantity import format_bytes, format_count, format_count_rate, format_level
from soak.record import read_run
from soak.record.events import FinalLook, Growth, VerdictChanged
from soak.record.recorded import LARGEST
from soak.run.daemon_thread import in_daemon_thread
from soak.verdict.verdict import Follows, Label
from soak.words import NAMES, sentence

if TYPE_CHECKING:
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
    verdict: RunVerdict
    """What the newest look says."""

    def in_words(self) -> str:
        """Return one line such as "climbing since 14:02, after 312 connections: +64 KiB per connection".

        Where other resources climb they are named: "…: file descriptors, +1.00 per connection".
        """
        since = self.since.astimezone()
        day = "" if since.date() == datetime.now(UTC).astimezone().date() else f"{since:%d %b} "
        words = f"{self.label} since {day}{since:%H:%M}"
        if self.connections:
            words += f", after {format_count(self.connections)} connections"
        if self.verdict.climbing:
            counts = (_count_growth(name, self.verdict.resources[name]) for name in self.verdict.climbing)
            return f"{words}: {'; '.join(counts)}"
        return f"{words}: {_level_or_growth(self.verdict.confidence[0].about)}"


class VerdictWatch:
    """Judges the record of a run when a look is due, writes down what changes, and may end the run.

    A look is what `soak analyze` would say of the record as it is then. Used by one task.
    """

    def __init__(
        self, config: SoakConfig, directory: RunDirectory, schedule: LookSchedule | None = None
    ) -> None:
        """Begin to watch the run that is recorded in `directory`."""
        self._load = config.load
        self._directory = directory
        self._looks = Looks(schedule)
        self.looked_at_s = 0.0
        """When the newest look was taken, in seconds of the run."""
        self.last_verdict: RunVerdict | None = None
        """What the newest look said."""
        self.standing: Standing | None = None
        """What stands, if anything does."""

    async def look(self, elapsed_s: float) -> bool:
        """Look at the run so far if a look is due; return whether one was taken.

        `elapsed_s` is the time of the newest sample. A change of what stands is recorded as the event
        `verdict`. Raises `SoakError` when that cannot be written.
        """
        if not self._looks.due(elapsed_s):
            return False
        verdict = await in_daemon_thread(self._judged, "judge record")
        label = self._looks.take(elapsed_s, verdict.label)
        self.last_verdict, self.looked_at_s = verdict, elapsed_s
        before = Label.INCONCLUSIVE if self.standing is None else self.standing.label
        known = () if self.standing is None else self.standing.verdict.climbing
        if label is not before or (label is not Label.INCONCLUSIVE and verdict.climbing != known):
            self._directory.append_event(self._changed(label, before, verdict))
        if label is Label.INCONCLUSIVE:
            self.standing = None
        elif self.standing is None or label is not before:
            self.standing = Standing(label, datetime.now(UTC), _connections(verdict), verdict)
        else:
            self.standing = replace(self.standing, verdict=verdict)
        return True

    def ends_the_run(self) -> bool:
        """Return whether the run may end on what stands; then that is recorded as the event `final_look`."""
        if self.standing is None or not self._load.until_decided:
            return False
        self._directory.append_event(self._final(self.standing.label, self.looked_at_s, stopped_early=True))
        return True

    def conclude(self, elapsed_s: float) -> None:
        """Record, as the event `final_look`, that a run until decided came to its end by itself."""
        if self._load.until_decided:
            label = self._judged().label
            self._directory.append_event(self._final(label, elapsed_s, stopped_early=False))

    def _judged(self) -> RunVerdict:
        return judge_run(read_run(self._directory.path)).verdict

    def _final(self, label: Label, up_to_s: float, *, stopped_early: bool) -> FinalLook:
        return FinalLook(
            verdict=label,
            up_to_s=up_to_s,
            stopped_early=stopped_early,
            looks=self._looks.taken,
            duration_s=self._load.duration_s,
            connections=self._load.connections,
        )

    def _changed(self, label: Label, before: Label, verdict: RunVerdict) -> VerdictChanged:
        memory = verdict.memory
        return VerdictChanged(
            verdict=label,
            was=before,
            look=self._looks.taken,
            up_to_s=self.looked_at_s,
            connections=_connections(verdict),
            growth_bytes_per_hour=_growth(memory.growth_per_hour),
            growth_bytes_per_connection=_growth(memory.growth_per_connection),
            confidence=memory.confidence,
            resources=tuple(map(str, verdict.climbing)),
            reason=sentence(verdict.reasons[0]) if verdict.reasons else "",
        )


def _connections(verdict: RunVerdict) -> float:
    return verdict.memory.connections_judged or 0.0


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

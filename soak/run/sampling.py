"""Sampling: a row at every instant of the schedule, from what the sources have read."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from soak.errors import SoakError, TargetError
from soak.record.events import SampleMissed, SourcesRead
from soak.run.schedule import FixedSchedule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from soak.record import RunDirectory
    from soak.run.rows import Row, RowBuilder
    from soak.run.source_in_use import SourceInUse
    from soak.targets import ServerExit, TargetServer

TICKS_TO_COME_BACK = 3
"""Samples in a row for which a process may be unreadable before it counts as gone."""
LONGEST_READING_S = 5.0
"""A sample waits so long for what is read at every sample; what comes later goes into the next one."""


class Sampling:
    """Reads every source when it is due. Used by one task; the sources are read in threads."""

    def __init__(
        self,
        sources: Sequence[SourceInUse],
        rows: RowBuilder,
        target: TargetServer,
        directory: RunDirectory,
        interval_s: float,
        on_row: Callable[[Row], None],
    ) -> None:
        """Sample from `sources`, the primary one first; every row is written and given to `on_row`."""
        self._sources = sources
        self._rows = rows
        self._target = target
        self._directory = directory
        self._interval_s = interval_s
        self._on_row = on_row
        self._reading: set[asyncio.Task[None]] = set()

    async def sample_all(self) -> None:
        """Read the sources, due or not, and write a row: how the run begins and how it ends.

        What is read at intervals goes its own way, unless it is what is judged.
        """
        primary = self._sources[0]
        wanted = [each for each in self._sources if each is primary or not each.at_intervals]
        self._start([each for each in wanted if each.is_free])
        await self._finish(self._reading)
        self._write_row(late_s=0.0)

    async def until_exit(self) -> ServerExit:
        """Write a row at every instant of the schedule; return how the server ended, when it does.

        Raises `TargetError` when the target is gone without an end that could be seen, or when the source
        that is judged is gone.
        """
        schedule = FixedSchedule(time.monotonic(), self._interval_s)
        while True:
            await asyncio.sleep(schedule.next_due_s() - time.monotonic())
            now_s = time.monotonic()
            tick = schedule.take(now_s)
            if tick.missed:
                self._directory.append_event(SampleMissed(count=tick.missed))
            due = [each for each in self._sources if each.is_due(now_s, self._rows.quiet_window)]
            await self._finish(self._start([each for each in due if each.at_every_sample]))
            exited = self._target.poll()
            if exited is not None:
                return exited
            self._check_primary()
            self._write_row(late_s=now_s - tick.due_s)
            self._start([each for each in due if not each.at_every_sample])

    def close(self) -> None:
        """Write down what reading has cost, and close the sources."""
        for source in self._sources:
            source.close()
        with contextlib.suppress(SoakError):  # a full disk has been told before
            self._directory.append_event(SourcesRead(sources=tuple(each.costs() for each in self._sources)))

    def _start(self, sources: Sequence[SourceInUse]) -> set[asyncio.Task[None]]:
        """Begin to read `sources`."""
        started = {asyncio.create_task(each.read(self._rows.quiet_window)) for each in sources}
        self._reading |= started
        return started

    async def _finish(self, readings: set[asyncio.Task[None]]) -> None:
        """Wait for `readings`; raise what one of them raised, or one that has ended in the meantime."""
        if readings:
            await asyncio.wait(readings, timeout=LONGEST_READING_S)
        ended = {each for each in self._reading if each.done()}
        self._reading -= ended
        for task in ended:
            task.result()

    def _check_primary(self) -> None:
        primary = self._sources[0]
        if primary.target_gone_in_a_row > TICKS_TO_COME_BACK:
            raise TargetError(f"the memory of the server can no longer be read: {primary.last_reason}")
        if primary.gone:
            raise TargetError(
                f"the memory of the server can no longer be read by the source {primary.name}: "
                f"{primary.last_reason}; what was recorded before is kept"
            )

    def _write_row(self, *, late_s: float) -> None:
        values: dict[str, float] = {}
        for source in self._sources:
            values |= source.take_fresh()
        row = self._rows.build(self._directory.elapsed_s(), late_s, values)
        self._directory.append_sample(row)
        self._on_row(row)

"""The conductor: lets the driver load the server while it is sampled, and notices how it all ends."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from soak.errors import SoakError
from soak.record.events import RunEnded
from soak.run.driver_process import DriverProcess
from soak.run.ending import Ending, EndReason, record_exit
from soak.run.following import Following
from soak.run.history import History
from soak.run.looking import Looking
from soak.run.probes import Probes
from soak.run.rows import RowBuilder
from soak.run.sampling import Sampling
from soak.run.stopping import LoadStopping
from soak.run.view import Progress
from soak.run.watch import VerdictWatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from soak.config import SoakConfig
    from soak.load.messages import Done
    from soak.record import RunDirectory
    from soak.run.rows import Row
    from soak.run.source_in_use import SourceInUse
    from soak.run.stopping import Stopping
    from soak.run.view import View
    from soak.targets import ServerExit, TargetServer


class Conductor:
    """One run against a server that is up: from the first dialogue to the last quiet window."""

    def __init__(
        self,
        config: SoakConfig,
        directory: RunDirectory,
        target: TargetServer,
        sources: Sequence[SourceInUse],
        view: View,
        stopping: Stopping,
    ) -> None:
        """Prepare; `sources` are open, the one that is judged first; `stopping` takes the signals."""
        self._config = config
        self._directory = directory
        self._target = target
        self._view = view
        self._history = History()
        self._progress = Progress(config.load)
        rows = RowBuilder()
        self._sampling = Sampling(
            sources, rows, target, directory, config.sample.interval_s, on_row=self._take_row
        )
        self._following = Following(config.name, directory, rows, self._progress, view)
        watch = VerdictWatch(config, directory)
        self._looking = Looking(config.name, watch, self._progress, view)
        self._stopping = stopping
        self._load_stopping = LoadStopping(stopping, directory, view)
        self._probes = Probes(config, directory, target, view)

    async def run(self) -> Ending:
        """Conduct the run until it is finished, interrupted, or the server is gone.

        Raises `SoakError` when the record cannot be written, the driver breaks down, or memory can no longer
        be read.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker: a coroutine runs in one
        with self._stopping.reacting(task.cancel):
            try:
                if self._stopping.asked:  # between the server's start and here
                    task.cancel()
                ending = await self._load_and_sample()
            except asyncio.CancelledError:
                if not self._stopping.asked:
                    raise
                ending = Ending(EndReason.INTERRUPTED)
            finally:
                self._sampling.close()
            self._directory.append_event(RunEnded(reason=str(ending.reason)))
            if ending.reason is EndReason.FINISHED:
                with contextlib.suppress(asyncio.CancelledError):  # Ctrl-C leaves the rest of the probes out
                    lost = await self._probes.after_the_load()
                    if lost is not None:
                        return Ending(EndReason.SERVER_EXITED, lost)
            return ending

    async def _load_and_sample(self) -> Ending:
        # what the server takes before anybody has spoken to it is where every growth is counted from
        await self._sampling.sample_all()
        driver = await DriverProcess.start(self._config.load, self._directory.path / "driver.log")
        follow = asyncio.create_task(self._follow(driver))
        sample = asyncio.create_task(self._sampling.until_exit())
        tasks: list[asyncio.Task[object]] = [
            follow,
            sample,
            asyncio.create_task(
                self._looking.until_decided(self._following.quiet_window_ended, driver.request_finish)
            ),
            asyncio.create_task(self._look_inside_when_ready()),
        ]
        try:
            with self._load_stopping.on_signals(driver):
                # looking ends when all is said, looking inside when it is done: only these two end the run
                await _first_to_end(follow, sample, watched=tasks)
            return await self._ending(follow, sample)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await driver.end()

    async def _ending(self, follow: asyncio.Task[Done | None], sample: asyncio.Task[ServerExit]) -> Ending:
        exited = sample.result() if sample.done() else self._target.poll()
        if exited is not None:
            record_exit(self._directory, exited)
            return Ending(EndReason.SERVER_EXITED, exited)
        sample.cancel()  # the driver's last counts came with its end: they belong into the record
        await asyncio.gather(sample, return_exceptions=True)
        await self._sampling.sample_all()
        if self._stopping.asked:
            return Ending(EndReason.INTERRUPTED)
        done = follow.result()
        if done is not None and done.reason == "not_ready":
            return Ending(EndReason.NOT_READY)
        self._looking.conclude()
        return Ending(EndReason.FINISHED)

    async def _follow(self, driver: DriverProcess) -> Done | None:
        """Follow the driver; return None when it was cut off."""
        try:
            return await self._following.until_done(driver.messages())
        except SoakError:
            if self._stopping.asked:  # a driver that was ended by a second Ctrl-C has no good status
                return None
            raise

    async def _look_inside_when_ready(self) -> None:
        await self._following.ready.wait()
        await self._probes.before_the_load()

    def _take_row(self, row: Row) -> None:
        self._history.append(row)
        self._progress.take_row(row)
        self._view.update(self._progress, self._history)


async def _first_to_end(*awaited: asyncio.Task[object], watched: list[asyncio.Task[object]]) -> None:
    """Return when one of `awaited` has ended; raise at once what any of `watched` raises."""
    pending = set(watched)
    while not any(task.done() for task in awaited):
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

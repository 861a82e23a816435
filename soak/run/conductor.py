"""The conductor: lets the driver load the server while it samples, and notices how it all ends."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import psutil

from soak.errors import SoakError, TargetError
from soak.load.messages import Done, DriverEvent, Interval, PhaseChanged
from soak.run.driver_process import STOP_GRACE_S, DriverProcess
from soak.run.history import History
from soak.run.probes import Probes
from soak.run.rows import RowBuilder
from soak.run.schedule import FixedSchedule, TimeBudget
from soak.run.view import Progress
from soak.run.watch import VerdictWatch
from soak.sources import ProcessTree, ServerPages
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from soak.config import SoakConfig
    from soak.load.messages import Message
    from soak.record import RunDirectory
    from soak.run.view import View
    from soak.sources import TreeReading
    from soak.targets import ServerExit, TargetServer

LONGEST_WITHOUT_A_LOOK_S = 300.0
"""A look is best taken when a quiet window has just ended; a load without such windows is still looked at."""
LONGEST_WAIT_FOR_REST_S = 60.0
"""Readings of quiet windows are comparable, so one that is due waits for the next; for so long at most."""
SCRAPES_BEFORE_GIVING_UP = 3
"""A server that never answered `/metrics` so many times is taken to have none."""
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
TICKS_TO_COME_BACK = 3
"""Samples in a row for which a process may be unreadable before it counts as gone."""


class EndReason(StrEnum):
    """How a run ended."""

    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    SERVER_EXITED = "server_exited"
    NOT_READY = "not_ready"


@dataclass(frozen=True)
class Ending:
    """How a run ended, with what is known of the server's end."""

    reason: EndReason
    server_exit: ServerExit | None = None


class Conductor:
    """One run against a server that is up: from the first dialogue to the last rest window."""

    def __init__(self, config: SoakConfig, directory: RunDirectory, target: TargetServer, view: View) -> None:
        """Prepare; raises `TargetError` when the server's process is gone already."""
        self._config = config
        self._directory = directory
        self._target = target
        self._view = view
        if target.pid is None:
            raise SoakError("this server is no process of this host: its memory cannot be read")
        try:
            self._tree = ProcessTree(target.pid)
        except psutil.NoSuchProcess:
            raise TargetError(f"the server's process {target.pid} is gone before the run began") from None
        self._rows = RowBuilder()
        self._history = History()
        self._progress = Progress(config.load)
        self._budget = TimeBudget(
            share=config.sample.smaps_share, at_least_every_s=config.sample.smaps_interval_s
        )
        self._watch = VerdictWatch(config, directory)
        self._probes = Probes(config, directory, target, self._tree, view)
        self._rest_ended = asyncio.Event()
        self._ready = asyncio.Event()
        self._interrupted = False
        self._stopped_early = False
        self._told_of_a_change = False

    async def run(self) -> Ending:
        """Conduct the run until it is finished, interrupted, or the server is gone.

        Raises `SoakError` when the record cannot be written or the driver breaks down.
        """
        # what the server takes before anybody has spoken to it is where every growth is counted from
        began_s = time.monotonic()
        self._rows.details_read(self._tree.read_details())
        self._budget.spent(began_s, time.monotonic())
        self._write_sample(self._tree.read(time.monotonic()), late_s=0.0)
        driver = await DriverProcess.start(self._config.load, self._directory.path / "driver.log")
        follow = asyncio.create_task(self._follow(driver))
        sample = asyncio.create_task(self._sample_until_exit())
        tasks: list[asyncio.Task[object]] = [
            follow,
            sample,
            asyncio.create_task(self._scrape_metrics()),
            asyncio.create_task(self._watch_verdict(driver)),
            asyncio.create_task(self._look_inside_when_ready()),
        ]
        try:
            with self._stopping_on_signals(driver):
                # the scraper ends when there is nothing to scrape, the watch when all is said: only these two
                # end the run
                await _first_to_end(follow, sample, watched=tasks)
            ending = self._ending(follow, sample)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await driver.end()
        self._directory.append_event("run_ended", reason=str(ending.reason))
        if ending.reason is EndReason.FINISHED:
            with contextlib.suppress(asyncio.CancelledError):  # Ctrl-C leaves the rest of the probes out
                lost = await self._probes.after_the_load()
                if lost is not None:
                    return Ending(EndReason.SERVER_EXITED, lost)
        return ending

    def _ending(self, follow: asyncio.Task[Done | None], sample: asyncio.Task[ServerExit]) -> Ending:
        exited = sample.result() if sample.done() else self._target.poll()
        if exited is not None:
            self._directory.append_event(
                "server_exited",
                return_code=exited.return_code,
                oom_killed=exited.oom_killed,
                how=exited.describe(),
                log_tail=list(exited.log_tail),
            )
            return Ending(EndReason.SERVER_EXITED, exited)
        # the driver's last counts came with its end: they belong into the record
        self._rows.details_read(self._tree.read_details())
        self._write_sample(self._tree.read(time.monotonic()), late_s=0.0)
        if self._interrupted:
            return Ending(EndReason.INTERRUPTED)
        done = follow.result()
        if done is not None and done.reason == "not_ready":
            return Ending(EndReason.NOT_READY)
        if not self._stopped_early:
            self._watch.conclude(self._history.series())
        return Ending(EndReason.FINISHED)

    @contextlib.contextmanager
    def _stopping_on_signals(self, driver: DriverProcess) -> Iterator[None]:
        """Let Ctrl-C and SIGTERM end the load in good order, and a second one end it at once."""
        loop = asyncio.get_running_loop()
        stopping: set[asyncio.Task[None]] = set()

        def stop() -> None:
            stopping.add(loop.create_task(self._stop_load(driver, at_once=self._interrupted)))
            self._interrupted = True

        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, stop)
        try:
            yield
        finally:
            for number in STOP_SIGNALS:
                loop.remove_signal_handler(number)
            for task in stopping:
                task.cancel()

    async def _stop_load(self, driver: DriverProcess, *, at_once: bool) -> None:
        if not at_once:
            self._directory.append_event("interrupted")
            self._view.say("Stopping: the load ends, then verdict and report are written.")
            await driver.request_stop()
            await asyncio.sleep(STOP_GRACE_S)
        await driver.end()

    async def _follow(self, driver: DriverProcess) -> Done | None:
        """Take in what the driver reports; return its last word, or None when it was cut off."""
        done = None
        try:
            async for message in driver.messages():
                self._take_in(message)
                if isinstance(message, Done):
                    done = message
        except SoakError:
            if not self._interrupted:  # a driver that was ended by a second Ctrl-C has no good status
                raise
        return done

    def _take_in(self, message: Message) -> None:
        match message:
            case PhaseChanged():
                if self._rows.phase == "rest":
                    self._rest_ended.set()
                if message.phase == "baseline":
                    self._ready.set()
                self._rows.phase, self._rows.block = message.phase, message.block
                self._directory.append_event(
                    "phase", at_monotonic_s=message.t_monotonic_s, phase=message.phase, block=message.block
                )
            case Interval():
                self._rows.load_reported(message)
            case DriverEvent():
                self._directory.append_event(
                    message.event, at_monotonic_s=message.t_monotonic_s, **message.details
                )
                self._progress.take_event(message)
                if message.event == "transcript_changed" and not self._told_of_a_change:
                    self._told_of_a_change = True
                    self._view.warn(f"{self._config.name}: {_change_in_words(message)}")
            case Done():
                self._directory.append_event(
                    "load_ended", reason=message.reason, failures=dict(message.counters.failures)
                )

    async def _sample_until_exit(self) -> ServerExit:
        """Write a sample at every instant of the schedule; return how the server ended, when it does."""
        schedule = FixedSchedule(time.monotonic(), self._config.sample.interval_s)
        unread = 0
        while True:
            await asyncio.sleep(schedule.next_due_s() - time.monotonic())
            now_s = time.monotonic()
            tick = schedule.take(now_s)
            if tick.missed:
                self._directory.append_event("sample_missed", count=tick.missed)
            reading = self._tree.read(now_s)
            exited = self._target.poll()
            if exited is not None:
                return exited
            unread = unread + 1 if reading is None else 0
            if unread > TICKS_TO_COME_BACK:
                raise TargetError(f"the memory of process {self._target.pid} can no longer be read")
            self._write_sample(reading, late_s=now_s - tick.due_s)
            if self._details_are_due(now_s):
                await self._read_details(now_s)

    def _write_sample(self, reading: TreeReading | None, *, late_s: float) -> None:
        row = self._rows.build(self._directory.elapsed_s(), late_s, reading)
        self._directory.append_sample(row)
        self._history.append(row)
        self._progress.take_row(row)
        self._view.update(self._progress, self._history)

    def _details_are_due(self, now_s: float) -> bool:
        """Whether the costly readings may be made, and now: in a quiet window, or when none came for long."""
        due_s = self._budget.allowed_at_s
        return now_s >= due_s and (self._rows.phase == "rest" or now_s >= due_s + LONGEST_WAIT_FOR_REST_S)

    async def _read_details(self, began_s: float) -> None:
        self._rows.details_read(await asyncio.to_thread(self._tree.read_details))
        self._budget.spent(began_s, time.monotonic())

    async def _look_inside_when_ready(self) -> None:
        await self._ready.wait()
        await self._probes.before_the_load()

    async def _scrape_metrics(self) -> None:
        pages = ServerPages(self._target.url, verify_tls=self._config.load.verify_tls)
        schedule = FixedSchedule(time.monotonic(), self._config.sample.metrics_interval_s)
        answered = False
        failures = 0
        while answered or failures < SCRAPES_BEFORE_GIVING_UP:
            await asyncio.sleep(schedule.next_due_s() - time.monotonic())
            schedule.take(time.monotonic())
            columns = await asyncio.to_thread(pages.scrape_metrics)
            if columns is None:
                failures += 1
            else:
                answered = True
                self._rows.server_reported(columns)

    async def _watch_verdict(self, driver: DriverProcess) -> None:
        """Look at what the server holds after every quiet window; end the load when it may be ended."""
        warned = False
        while not self._stopped_early:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._rest_ended.wait(), LONGEST_WITHOUT_A_LOOK_S)
            self._rest_ended.clear()
            if not await self._watch.look(self._history.series(), self._history.counts()):
                continue
            standing = self._watch.standing
            self._progress.last_look, self._progress.standing = self._watch.last, standing
            if standing is not None and standing.label is Label.CLIMBING and not warned:
                warned = True
                subject = "" if standing.resources else "memory is "
                self._view.warn(f"{self._config.name}: {subject}{standing.in_words()}")
            if self._watch.ends_the_run():
                self._stopped_early = True
                self._view.say("Decided: the block in progress is finished, then the report is written.")
                await driver.request_finish()


def _change_in_words(change: DriverEvent) -> str:
    details = change.details
    return (
        f"connection {details['connection']} got another transcript for {details['clip']} than connection "
        f"{details['first_connection']}; the report has both"
    )


async def _first_to_end(*awaited: asyncio.Task[object], watched: list[asyncio.Task[object]]) -> None:
    """Return when one of `awaited` has ended; raise at once what any of `watched` raises."""
    pending = set(watched)
    while not any(task.done() for task in awaited):
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

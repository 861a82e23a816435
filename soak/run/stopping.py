"""Signals that ask for an end: the first ends the load in good order, the second at once.

Whatever follows, verdict and report are written of what was recorded: a third, or an eighth, Ctrl-C does not
take them away. Only where that takes longer than anybody would wait does one more end it.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from typing import TYPE_CHECKING

from soak.record.events import Interrupted
from soak.run.driver_process import STOP_GRACE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from soak.record import RunDirectory
    from soak.run.driver_process import DriverProcess
    from soak.run.view import View

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE_S = 30.0
"""Verdict and report of a long run take seconds; whoever has waited for so long may end them."""


class Stopping:
    """Takes the signals that ask for an end, for the length of one run."""

    def __init__(self) -> None:
        """Begin without having been asked."""
        self.asked = 0
        """How often somebody asked for an end."""
        self._reactions: list[Callable[[], object]] = []
        self._ending_since_s: float | None = None

    @contextlib.contextmanager
    def taking_signals(self) -> Iterator[None]:
        """Take the signals within this block; one that is ignored from the start (`nohup`) stays so."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
        taken = [number for number in STOP_SIGNALS if not _was_left_alone(number, before[number])]
        for number in taken:
            signal.signal(number, self._take)
        try:
            yield
        finally:
            for number in taken:
                signal.signal(number, before[number])

    @contextlib.contextmanager
    def reacting(self, react: Callable[[], object]) -> Iterator[None]:
        """Within this block, in an event loop, let a signal call `react` there."""
        loop = asyncio.get_running_loop()
        self._reactions.append(lambda: loop.call_soon_threadsafe(react))
        try:
            yield
        finally:
            self._reactions.pop()
            self.now_only_the_report_is_left()

    def now_only_the_report_is_left(self) -> None:
        """From now on a signal that nothing reacts to is only counted, for as long as one is patient."""
        self._ending_since_s = time.monotonic()

    def _take(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.asked += 1
        if self._reactions:
            self._reactions[-1]()
        elif self._ending_since_s is None:
            self.now_only_the_report_is_left()
            raise KeyboardInterrupt
        elif time.monotonic() - self._ending_since_s > PATIENCE_S:
            raise KeyboardInterrupt


class LoadStopping:
    """Ends the load of one run when it is asked for."""

    def __init__(self, stopping: Stopping, directory: RunDirectory, view: View) -> None:
        """Begin without having been asked."""
        self._stopping = stopping
        self._directory = directory
        self._view = view
        self._tasks: set[asyncio.Task[None]] = set()

    @contextlib.contextmanager
    def on_signals(self, driver: DriverProcess) -> Iterator[None]:
        """Let a signal end the load within this block."""

        def stop() -> None:
            stopping = self._stop_load(driver, at_once=bool(self._tasks))
            self._tasks.add(asyncio.get_running_loop().create_task(stopping))

        try:
            with self._stopping.reacting(stop):
                yield
        finally:
            for task in self._tasks:
                task.cancel()

    async def _stop_load(self, driver: DriverProcess, *, at_once: bool) -> None:
        if not at_once:
            self._directory.append_event(Interrupted())
            self._view.say("Stopping: the load ends, then verdict and report are written.")
            await driver.request_stop()
            await asyncio.sleep(STOP_GRACE_S)
        await driver.end()


def _was_left_alone(number: signal.Signals, handler: object) -> bool:
    """A shell ignores Ctrl-C for what it puts in the background; who sends one by `kill` means it."""
    return number is signal.SIGHUP and handler is signal.SIG_IGN

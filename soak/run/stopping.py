"""Ctrl-C and SIGTERM: the first ends the load in good order, the second at once."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

from soak.record.events import Interrupted
from soak.run.driver_process import STOP_GRACE_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from soak.record import RunDirectory
    from soak.run.driver_process import DriverProcess
    from soak.run.view import View

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """Takes the signals that ask for an end."""

    def __init__(self, directory: RunDirectory, view: View) -> None:
        """Begin without having been asked."""
        self.asked = False
        """Whether somebody asked for an end."""
        self._directory = directory
        self._view = view

    @contextlib.contextmanager
    def on_signals(self, driver: DriverProcess) -> Iterator[None]:
        """Let a signal end the load within this block."""
        loop = asyncio.get_running_loop()
        stopping: set[asyncio.Task[None]] = set()

        def stop() -> None:
            stopping.add(loop.create_task(self._stop_load(driver, at_once=self.asked)))
            self.asked = True

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
            self._directory.append_event(Interrupted())
            self._view.say("Stopping: the load ends, then verdict and report are written.")
            await driver.request_stop()
            await asyncio.sleep(STOP_GRACE_S)
        await driver.end()

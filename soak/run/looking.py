"""Looking at a run while it goes on: after every quiet window, and ending it when it may be ended."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from soak.run.view import Progress, View
    from soak.run.watch import VerdictWatch

LONGEST_WITHOUT_A_LOOK_S = 300.0
"""A look is best taken when a quiet window has just ended; a load without such windows is still looked at."""


class Looking:
    """Asks the watch what stands, tells it, and ends the load when that is said."""

    def __init__(self, name: str, watch: VerdictWatch, progress: Progress, view: View) -> None:
        """Begin without a look; `name` is the configuration's."""
        self.ended_the_run = False
        """Whether the run was ended because it is decided."""
        self._name = name
        self._watch = watch
        self._progress = progress
        self._view = view
        self._warned = False

    async def until_decided(
        self, quiet_window_ended: asyncio.Event, finish_load: Callable[[], Awaitable[None]]
    ) -> None:
        """Look whenever a quiet window has ended, and at least every five minutes.

        Where the run may end on what stands, `finish_load` is asked to end it in good order.
        """
        while not self.ended_the_run:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(quiet_window_ended.wait(), LONGEST_WITHOUT_A_LOOK_S)
            quiet_window_ended.clear()
            if not await self._watch.look(self._progress.elapsed_s()):
                continue
            self._tell()
            if self._watch.ends_the_run():
                self.ended_the_run = True
                self._view.say("Decided: the block in progress is finished, then the report is written.")
                await finish_load()

    def conclude(self) -> None:
        """Look for the last time, at the whole run; a run that a look has ended rests on that look."""
        if not self.ended_the_run:
            self._watch.conclude(self._progress.elapsed_s())

    def _tell(self) -> None:
        standing = self._watch.standing
        self._progress.last_verdict, self._progress.standing = self._watch.last_verdict, standing
        self._progress.looked_at_s = self._watch.looked_at_s
        if standing is not None and standing.label is Label.CLIMBING and not self._warned:
            self._warned = True
            subject = "" if standing.verdict.climbing else "memory is "
            self._view.warn(f"{self._name}: {subject}{standing.in_words()}")

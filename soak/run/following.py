"""Following the load driver: what it reports goes into the record, the rows and the view."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from soak.load.messages import Done, DriverEvent, Interval, PhaseChanged
from soak.record.events import LoadEnded, Phase, TranscriptChanged, event_of
from soak.run.rows import QUIET

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from soak.load.messages import Message
    from soak.record import RunDirectory
    from soak.run.rows import RowBuilder
    from soak.run.view import Progress, View


class Following:
    """Takes in the driver's messages. Used by one task; others may wait for what it has heard."""

    def __init__(
        self, name: str, directory: RunDirectory, rows: RowBuilder, progress: Progress, view: View
    ) -> None:
        """Begin with nothing heard; `name` is the configuration's."""
        self.ready = asyncio.Event()
        """The server has given its first result."""
        self.quiet_window_ended = asyncio.Event()
        """A quiet window has just ended; who waits for it clears it."""
        self._name = name
        self._directory = directory
        self._rows = rows
        self._progress = progress
        self._view = view
        self._told_of_a_change = False

    async def until_done(self, messages: AsyncIterator[Message]) -> Done | None:
        """Take in the driver's `messages` until it ends; return its last word, if it had one.

        Raises what `messages` raises: `SoakError` when the driver breaks down.
        """
        done = None
        async for message in messages:
            self._take_in(message)
            if isinstance(message, Done):
                done = message
        return done

    def _take_in(self, message: Message) -> None:
        match message:
            case PhaseChanged():
                if self._rows.phase == QUIET:
                    self.quiet_window_ended.set()
                if message.phase == "baseline":
                    self.ready.set()
                self._rows.phase_changed(message.phase, message.block)
                self._directory.append_event(
                    Phase(phase=message.phase, block=message.block), at_monotonic_s=message.t_monotonic_s
                )
            case Interval():
                self._rows.load_reported(message)
            case DriverEvent():
                event = event_of(message.event, message.details)
                self._directory.append_event(event, at_monotonic_s=message.t_monotonic_s)
                self._progress.take_event(event)
                if isinstance(event, TranscriptChanged) and not self._told_of_a_change:
                    self._told_of_a_change = True
                    self._view.warn(f"{self._name}: {_change_in_words(event)}")
            case Done():
                self._directory.append_event(
                    LoadEnded(reason=message.reason, failures=dict(message.counters.failures))
                )


def _change_in_words(change: TranscriptChanged) -> str:
    return (
        f"connection {change.connection} got another transcript for {change.clip} than connection "
        f"{change.first_connection}; the report has both"
    )

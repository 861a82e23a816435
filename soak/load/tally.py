"""What has happened so far, in constant memory: counters, latencies, transcripts checked."""

from __future__ import annotations

import os
import time
from collections import Counter
from typing import TYPE_CHECKING

from soak.load.latency import LatencySketch
from soak.load.messages import Counters, Done, DriverEvent, Interval
from soak.load.transcript_check import TranscriptCheck

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.load.clips import Clip
    from soak.load.messages import EndReason, Message
    from soak.load.scenarios import Answer
    from soak.load.session import SessionError

DETAILED_EVENTS = 20
"""So many failures, and as many changed transcripts, are reported in full; the rest are only counted."""
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Tally:
    """Counts, and passes on what deserves an event of its own."""

    def __init__(self, emit: Callable[[Message], None], now_s: Callable[[], float] = time.monotonic) -> None:
        """Pass events to `emit`, with the time that `now_s` tells."""
        self._now_s = now_s
        self._open = self._most_open = 0
        self.arrivals_delayed = 0
        self.failures_in_a_row = 0
        """Failures since the last connection that completed."""
        self._emit = emit
        self._opened = 0
        self._completed = 0
        self._cut_short = 0
        self._failures: Counter[str] = Counter()
        self._audio_s = 0.0
        self._transcripts = TranscriptCheck(self._report)
        self._events: Counter[str] = Counter()
        self._first_result = LatencySketch()
        self._final = LatencySketch()

    def begun(self) -> None:
        """Count a connection as open from its first step."""
        self._open += 1
        self._most_open = max(self._most_open, self._open)

    def ended(self) -> None:
        """Count a connection as no longer open, however it ended."""
        self._open -= 1

    def opened(self) -> None:
        """Count a WebSocket handshake."""
        self._opened += 1

    def audio_sent(self, seconds: float) -> None:
        """Count audio, whatever became of its connection."""
        self._audio_s += seconds

    def completed(self, clip: Clip, answer: Answer | None, connection: int) -> None:
        """Count the connection of that number, which did all it was to do; None if it wanted no result."""
        self._completed += 1
        self.failures_in_a_row = 0
        if answer is None:
            return
        self._first_result.add(answer.first_result_s)
        self._final.add(answer.final_s)
        self._transcripts.take(clip, answer.transcript, connection)

    def failed(self, clip: Clip, error: SessionError, connection: int) -> None:
        """Count the connection of that number, which failed."""
        self._failures[error.kind] += 1
        self.failures_in_a_row += 1
        details = {"kind": error.kind, "detail": error.detail, "clip": clip.name, "connection": connection}
        self._report("connection_failed", details)

    def cut_short(self) -> None:
        """Count a connection that was closed because the driver was told to stop."""
        self._cut_short += 1

    def interval(self) -> Interval:
        """Return the counts so far, with the most connections open and the latencies since the last call."""
        most_open, self._most_open = self._most_open, self._open
        return Interval(
            t_monotonic_s=self._now_s(),
            counters=self._counters(),
            open_connections=most_open,
            first_partial_ms=self._first_result.take_interval(),
            final_ms=self._final.take_interval(),
            driver_rss_bytes=_own_rss_bytes(),
            driver_cpu_s=round(time.process_time(), 4),
        )

    def done(self, reason: EndReason, rate_per_s: float | None) -> Done:
        """Return the last message."""
        return Done(
            t_monotonic_s=self._now_s(),
            reason=reason,
            counters=self._counters(),
            rate_per_s=rate_per_s,
            first_partial_ms=self._first_result.whole_run(),
            final_ms=self._final.whole_run(),
        )

    def _counters(self) -> Counters:
        return Counters(
            connections_opened=self._opened,
            connections_completed=self._completed,
            connections_failed=self._failures.total(),
            connections_cut_short=self._cut_short,
            failures=dict(self._failures),
            audio_s=round(self._audio_s, 3),
            arrivals_delayed=self.arrivals_delayed,
            transcripts_changed=self._transcripts.changed,
            transcripts_checked=self._transcripts.checked,
            character_errors=self._transcripts.total.errors,
            reference_characters=self._transcripts.total.characters,
        )

    def tell_clips(self) -> None:
        """Pass on what became of each clip so far."""
        if clips := self._transcripts.clips():
            self._emit(DriverEvent(self._now_s(), "transcripts", {"clips": clips}))

    def _report(self, event: str, details: dict[str, object]) -> None:
        """Pass on an event; of those that may happen to every connection only the first ones."""
        self._events[event] += 1
        if event == "first_transcript" or self._events[event] <= DETAILED_EVENTS:
            self._emit(DriverEvent(self._now_s(), event, details))
        elif self._events[event] == DETAILED_EVENTS + 1:
            self._emit(DriverEvent(self._now_s(), "no_more_details", {"of": event}))


def _own_rss_bytes() -> int:
    """Resident memory of this process (proc(5), statm), which is not allowed to grow either."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * _PAGE_BYTES

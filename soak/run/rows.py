"""Putting together one row of `samples.csv` from the newest readings of each source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping

    from soak.load.messages import Interval, Quantiles

Row = dict[str, float | int | str | None]
QUIET = "rest"
"""The phase in which nobody is connected and what was closed has been freed."""


class RowBuilder:
    """Joins what arrives at different times; a reading is written once, in the sample after it was taken."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.phase = "start"
        self.block = 0
        self._quiet_windows = 0
        self._interval: Interval | None = None
        self._interval_is_new = False
        self._self = psutil.Process()

    @property
    def quiet_window(self) -> int | None:
        """Which quiet window it is, counted from 1; None when there is load, or none yet."""
        return self._quiet_windows if self.phase == QUIET else None

    def phase_changed(self, phase: str, block: int) -> None:
        """Take what the driver does from now on."""
        self.phase, self.block = phase, block
        self._quiet_windows += phase == QUIET

    def load_reported(self, interval: Interval) -> None:
        """Take the driver's report: counters stay until the next one, latencies go into one row."""
        self._interval = interval
        self._interval_is_new = True

    def build(self, t_s: float, late_s: float, read: Mapping[str, float]) -> Row:
        """Return the row for time `t_s` with what the sources have `read`; what is not known is left out."""
        row: Row = {
            "t_s": round(t_s, 3),
            "late_s": round(late_s, 4),
            "phase": self.phase,
            "block": self.block,
        }
        row |= read
        row |= self._load_columns()
        self._interval_is_new = False
        return row

    def _load_columns(self) -> Row:
        own_cpu = self._self.cpu_times()
        rss_bytes: int = self._self.memory_info().rss
        cpu_s = own_cpu.user + own_cpu.system
        interval = self._interval
        if interval is None:
            none_yet: Row = {"connections_completed": 0, "open_connections": 0}
            return none_yet | {"harness_rss_bytes": rss_bytes, "harness_cpu_s": cpu_s}
        counters = interval.counters
        row: Row = {
            "connections_completed": counters.connections_completed,
            "connections_opened": counters.connections_opened,
            "connections_failed": counters.connections_failed,
            "open_connections": interval.open_connections,
            "audio_s": counters.audio_s,
            "arrivals_delayed": counters.arrivals_delayed,
            "transcripts_changed": counters.transcripts_changed,
            "transcripts_checked": counters.transcripts_checked,
            "character_errors": counters.character_errors,
            "reference_characters": counters.reference_characters,
            "harness_rss_bytes": rss_bytes + interval.driver_rss_bytes,
            "harness_cpu_s": cpu_s + interval.driver_cpu_s,
        }
        if self._interval_is_new:
            row |= _latency("first_partial", interval.first_partial_ms) | _latency("final", interval.final_ms)
        return row


def _latency(name: str, quantiles: Quantiles | None) -> Row:
    if quantiles is None:
        return {}
    return {
        f"{name}_p50_ms": quantiles.p50,
        f"{name}_p95_ms": quantiles.p95,
        f"{name}_p99_ms": quantiles.p99,
    }

"""One memory source of a run: read in a thread when it is due, with its cost and its gaps kept."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from soak.columns import Unit
from soak.record.events import SourceGap, SourceGone
from soak.record.recorded import LARGEST
from soak.run.daemon_thread import in_daemon_thread
from soak.run.due import due_by
from soak.sources import Every, EverySample, Gap, Gone, Outcome, Reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Set

    from soak.columns import Column
    from soak.record import RunDirectory
    from soak.sources import MemorySource, SourceReader

MOST_REASONS = 20
"""So many different reasons of gaps go into the events; a source with more of them is only counted."""


class SourceInUse:
    """A source that is open. What it reads is kept until it is taken into a row, once."""

    def __init__(
        self,
        source: MemorySource,
        reader: SourceReader,
        columns: Set[str],
        directory: RunDirectory,
    ) -> None:
        """Of what `source` yields, only `columns` are kept: the others come from a source before it."""
        self.name = source.name
        self.at_every_sample = isinstance(source.cadence(), EverySample)
        self.at_intervals = isinstance(source.cadence(), Every)
        self.gone = False
        """Whether the source is gone for good."""
        self.target_gone_in_a_row = 0
        """How many readings in a row found the target gone."""
        self.last_reason = ""
        """Why the newest reading is a gap."""
        self._reader = reader
        self._declared = {each.name: each for each in source.columns()}
        self._columns = columns
        self._directory = directory
        self._due = due_by(source.cadence())
        self._busy = False
        self._fresh: dict[str, float] = {}
        self._reasons: set[str] = set()
        self._readings = self._gaps = 0
        self._wall_s = self._cpu_s = 0.0

    @property
    def is_free(self) -> bool:
        """Whether it can be read at all: it is not gone, and not being read."""
        return not self._busy and not self.gone

    def is_due(self, now_s: float, quiet_window: int | None) -> bool:
        """Return whether to read it now."""
        return self.is_free and self._due.is_due(now_s, quiet_window)

    async def read(self, quiet_window: int | None) -> None:
        """Read it once, in a thread: a source that hangs holds up neither the run nor its end."""
        self._busy = True
        began_s = time.monotonic()
        outcome = await in_daemon_thread(self._timed, f"source {self.name}")
        self._busy = False
        self._due.was_read(began_s, time.monotonic(), quiet_window)
        self._take(outcome)

    def take_fresh(self) -> dict[str, float]:
        """Return what was read since the last time."""
        fresh, self._fresh = self._fresh, {}
        return fresh

    def costs(self) -> dict[str, Any]:
        """Return how often it was read, and what that took of the harness's time."""
        return {
            "source": self.name,
            "readings": self._readings,
            "gaps": self._gaps,
            "wall_s": round(self._wall_s, 4),
            "cpu_s": round(self._cpu_s, 4),
        }

    def close(self) -> None:
        """Close it, once; a source that cannot even do that is left alone."""
        try:
            self._reader.close()
        except Exception as error:  # noqa: BLE001 - somebody else's code, at the end of a run
            self._note(SourceGap, f"it cannot be closed: {_shown(error)}")

    def _timed(self) -> Outcome:
        began_s, began_cpu_s = time.perf_counter(), time.thread_time()
        try:
            return self._reader.read()
        except BaseException as error:  # noqa: BLE001 - somebody else's code must not end the run
            return Gap(_shown(error))
        finally:
            self._wall_s += time.perf_counter() - began_s
            self._cpu_s += time.thread_time() - began_cpu_s

    def _take(self, outcome: Outcome) -> None:
        if isinstance(outcome, Reading):
            self._readings += 1
            self.target_gone_in_a_row = 0
            self._fresh |= self._sound(outcome.values)
            return
        self._gaps += 1
        self.last_reason = outcome.reason
        self.target_gone_in_a_row = self.target_gone_in_a_row + 1 if outcome.gone is Gone.TARGET else 0
        self.gone = outcome.gone is Gone.SOURCE
        self._note(SourceGone if self.gone else SourceGap, outcome.reason)

    def _sound(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the values that may stand in a row; what may not is left out, with the reason."""
        sound = {}
        for name, value in values.items():
            if (fault := _fault(self._declared.get(name), value)) is not None:
                self._note(SourceGap, f"{name} is left out: {fault}")
            elif name in self._columns:
                sound[name] = value
        return sound

    def _note(self, kind: type[SourceGap], reason: str) -> None:
        """Write an event the first time that a reason occurs."""
        if reason not in self._reasons and len(self._reasons) < MOST_REASONS:
            self._reasons.add(reason)
            self._directory.append_event(kind(source=self.name, reason=reason))


def _fault(declared: Column | None, value: object) -> str | None:
    if declared is None:
        return "the source does not declare it"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{value!r:.40} is no finite number"
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value!r} is no finite number"
    if abs(value) > LARGEST:
        return "it is more than there can be"
    never = declared.unit in {Unit.BYTES, Unit.COUNT}
    return f"{value} is below 0" if never and value < 0 else None


def _shown(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())

"""Is a source to be read now? Decided by clock readings and quiet windows, one class for each cadence."""

from __future__ import annotations

import math
from typing import Protocol

from soak.run.schedule import FixedSchedule, TimeBudget
from soak.sources.cadence import Cadence, Every, EverySample, InQuietWindows, OnceInEveryQuietWindow

LONGEST_WAIT_FOR_QUIET_S = 60.0
"""Readings of quiet windows are comparable, so one that is due waits for the next; for so long at most."""
LONGEST_WITHOUT_A_WINDOW_S = 300.0
"""A load without quiet windows is read at least so often by what would be read once in each."""


class Due(Protocol):
    """Decides when one source is read."""

    def is_due(self, now_s: float, quiet_window: int | None) -> bool:
        """Return whether a reading may begin at `now_s`; `quiet_window` is the number of the present one."""
        ...

    def was_read(self, began_s: float, ended_s: float, quiet_window: int | None) -> None:
        """Account for a reading that has ended."""
        ...


def due_by(cadence: Cadence) -> Due:
    """Return what decides for `cadence`; a fixed interval begins when it is first asked."""
    match cadence:
        case EverySample():
            return _Always()
        case Every(interval_s):
            return _AtIntervals(interval_s)
        case InQuietWindows(at_least_every_s, share):
            return _InQuietWindows(TimeBudget(share=share, at_least_every_s=at_least_every_s))
        case OnceInEveryQuietWindow(share):
            return _OnceInEachWindow(TimeBudget(share=share, at_least_every_s=0.0))


class _Always:
    def is_due(self, now_s: float, quiet_window: int | None) -> bool:  # noqa: ARG002 - always
        return True

    def was_read(self, began_s: float, ended_s: float, quiet_window: int | None) -> None:
        pass


class _AtIntervals:
    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._schedule: FixedSchedule | None = None

    def is_due(self, now_s: float, quiet_window: int | None) -> bool:  # noqa: ARG002 - whatever goes on
        return now_s >= self._begun(now_s).next_due_s()

    def was_read(self, began_s: float, ended_s: float, quiet_window: int | None) -> None:  # noqa: ARG002
        self._begun(began_s).take(began_s)

    def _begun(self, now_s: float) -> FixedSchedule:
        self._schedule = self._schedule or FixedSchedule(now_s, self._interval_s)
        return self._schedule


class _InQuietWindows:
    def __init__(self, budget: TimeBudget) -> None:
        self._budget = budget

    def is_due(self, now_s: float, quiet_window: int | None) -> bool:
        waited_s = now_s - self._budget.allowed_at_s
        return waited_s >= 0 and (quiet_window is not None or waited_s >= LONGEST_WAIT_FOR_QUIET_S)

    def was_read(self, began_s: float, ended_s: float, quiet_window: int | None) -> None:  # noqa: ARG002
        self._budget.spent(began_s, ended_s)


class _OnceInEachWindow:
    def __init__(self, budget: TimeBudget) -> None:
        self._budget = budget
        self._last_window: int | None = None
        self._last_began_s = -math.inf

    def is_due(self, now_s: float, quiet_window: int | None) -> bool:
        if not self._budget.allows(now_s):
            return False
        if quiet_window is not None:
            return quiet_window != self._last_window
        return now_s - self._last_began_s >= LONGEST_WITHOUT_A_WINDOW_S

    def was_read(self, began_s: float, ended_s: float, quiet_window: int | None) -> None:
        self._budget.spent(began_s, ended_s)
        self._last_window, self._last_began_s = quiet_window, began_s

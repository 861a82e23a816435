"""The quiet windows of a recorded run: when each ended, on the clock of files and captures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from soak.record.events import Interrupted, LoadEnded, Phase, RunEnded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from soak.record import Run
    from soak.record.events import Event

REST = "rest"
ENDS_A_WINDOW = (Phase, LoadEnded, RunEnded, Interrupted)


@dataclass(frozen=True)
class Window:
    """One quiet window."""

    t_s: float
    """Its end, in seconds since the start of the run."""
    unix_s: float
    """The same as a Unix time."""


@dataclass(frozen=True)
class RunClock:
    """What is needed to place a moment of the wall clock in a run."""

    began_unix_s: float
    """When the run began."""
    t_s: tuple[float, ...]
    """When connections were counted, in seconds since then."""
    connections: tuple[float, ...]
    """How many were completed then."""

    @classmethod
    def of(cls, run: Run) -> RunClock:
        """Take it from a recorded run, which has at least one event."""
        counted = run.samples[["t_s", "connections_completed"]].dropna()
        return cls(
            began_unix_s(run.events),
            tuple(map(float, counted["t_s"])),
            tuple(map(float, counted["connections_completed"])),
        )

    def seconds_into_the_run(self, unix_s: float) -> float:
        """Return the time since the start of the run."""
        return unix_s - self.began_unix_s

    def connections_at(self, t_s: float) -> float:
        """Return how many connections had been completed `t_s` seconds into the run."""
        return float(np.interp(t_s, self.t_s, self.connections)) if self.t_s else 0.0


def began_unix_s(events: Sequence[Event]) -> float:
    """Return when a run with these events began, as a Unix time; 0 where no event has both its times."""
    for event in events:
        if event.t_s is not None and event.utc:
            return datetime.fromisoformat(event.utc).timestamp() - event.t_s
    return 0.0


def quiet_windows(events: Sequence[Event]) -> list[Window]:
    """Return the windows that have ended, in order."""
    began_s = began_unix_s(events)
    found: list[Window] = []
    resting = False
    for event in events:
        if not isinstance(event, ENDS_A_WINDOW) or event.t_s is None:
            continue
        if resting:
            found.append(Window(event.t_s, began_s + event.t_s))
        resting = isinstance(event, Phase) and event.phase == REST
    return found

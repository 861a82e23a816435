"""How long one life of a process was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.verdict.verdict import Settling

if TYPE_CHECKING:
    from soak.analyse.floors.lives import Readings


@dataclass(frozen=True)
class Run:
    """How long the judged life was, and how fast it went."""

    duration_s: float
    connections: float | None
    """Completed during this life; None where they are not counted."""

    def more(self, share: float) -> Settling:
        """Return what `share` of this run again comes to."""
        connections = None if self.connections is None else share * self.connections
        return Settling(more_seconds=share * self.duration_s, more_connections=connections)


def run_of(life: Readings) -> Run:
    """Return how long a life was, and how many connections it saw."""
    if not life.t_s.size:
        return Run(0.0, None)
    counted = None if life.connections is None else float(life.connections[-1] - life.connections[0])
    return Run(float(life.t_s[-1] - life.t_s[0]), counted)

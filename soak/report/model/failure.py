"""What the record adds to the failure of a server: when it died, and its last words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from soak.record.events import ServerExited

if TYPE_CHECKING:
    from soak.record import Run
    from soak.verdict.run_verdict import Failure


@dataclass(frozen=True)
class TargetFailure:
    """A server that died, or that never answered; how is the verdict's first reason."""

    died: bool
    """Whether it had run before; otherwise it never gave a first result."""
    died_at_s: float | None = None
    """When it died, in seconds of the run; None where it did not, or where that was not recorded."""
    log_tail: str = ""
    """The last lines of its log, kept when it died."""

    @classmethod
    def of(cls, failure: Failure | None, run: Run) -> Self | None:
        """Return the failure that `run` was judged to have had; None for none."""
        if failure is None:
            return None
        exited = run.last_event(ServerExited) if failure.died else None
        if exited is None:
            return cls(failure.died)
        return cls(failure.died, exited.t_s, "\n".join(exited.log_tail))

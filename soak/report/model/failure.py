"""How the server failed, where it did: the one place where a report learns of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from soak.quantity import format_duration
from soak.record.events import RunEnded, ServerExited

if TYPE_CHECKING:
    from soak.record import Run


@dataclass(frozen=True)
class TargetFailure:
    """A server that died, or that never answered."""

    died: bool
    """Whether it had run before; otherwise it never gave a first result."""
    died_at_s: float | None = None
    """When it died, in seconds of the run; None where it did not, or where that was not recorded."""
    how: str = ""
    """What ended it, in a few words; empty where nobody knows."""
    log_tail: str = ""
    """The last lines of its log, kept when it died."""

    @classmethod
    def of(cls, run: Run) -> Self | None:
        """Return how the server of `run` failed; None where it did not."""
        died = run.last_event(ServerExited)
        if died is not None:
            return cls(died=True, died_at_s=died.t_s, how=died.how, log_tail="\n".join(died.log_tail))
        ended = run.last_event(RunEnded)
        if ended is not None and ended.reason == "not_ready":
            return cls(died=False)
        return None

    @property
    def sentence(self) -> str:
        """Say how it failed."""
        if not self.died:
            return "No answer from the server."
        when = "" if self.died_at_s is None else f" after {format_duration(self.died_at_s)}"
        return f"The server died{when}{f': {self.how}' if self.how else ''}."

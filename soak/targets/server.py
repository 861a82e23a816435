"""What every server under test has in common."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class ServerExit:
    """How a server ended."""

    return_code: int | None
    """Exit status; negative is the signal that ended it; None when only its absence was seen."""
    oom_killed: bool
    """Whether the kernel's out-of-memory killer struck while it ended."""
    log_tail: tuple[str, ...]
    """The last lines of its log, oldest first; empty where soak has no log of it."""
    silent: bool = False
    """Whether its process is there but answers nothing any more."""

    def describe(self) -> str:
        """Say in a few words how it ended."""
        if self.oom_killed:
            return "killed by the kernel for want of memory (OOM)"
        if self.silent:
            return "it no longer answers"
        if self.return_code is None:
            return "its process is gone"
        if self.return_code < 0:
            return f"ended by {signal.Signals(-self.return_code).name}"
        return f"exited with status {self.return_code}"


class TargetServer(Protocol):
    """A speech server that is running."""

    url: str
    """WebSocket address."""
    pid: int
    """Root of the process tree whose memory is judged."""

    def identity(self) -> dict[str, Any]:
        """Return what the manifest says of it: kind, pid, command line, address, start time."""
        ...

    def poll(self) -> ServerExit | None:
        """Return how it ended, or None while it runs."""
        ...

    def stop(self) -> None:
        """End it, if soak started it; let it be otherwise."""
        ...

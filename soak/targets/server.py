"""What every server under test has in common."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from soak.capabilities import Capabilities
    from soak.config import ServerConfig


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

    @property
    def url(self) -> str:
        """WebSocket address."""
        ...

    @property
    def pid(self) -> int | None:
        """Root of the process tree whose memory is judged; None where it is no process on this host."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can do, and what may be done to it."""
        ...

    def identity(self) -> dict[str, Any]:
        """Return what the manifest says of it: kind, capabilities, pid, command line, address, start time."""
        ...

    def poll(self) -> ServerExit | None:
        """Return how it ended, or None while it runs."""
        ...

    def stop(self) -> None:
        """End it, if soak started it; let it be otherwise."""
        ...


class Target(Protocol):
    """Which server is to be soaked: described before a run, brought up when the run begins."""

    @property
    def default_config(self) -> str:
        """The bundled configuration that suits it when none is asked for."""
        ...

    @property
    def is_reference(self) -> bool:
        """Whether it is the bundled server, with the model and the settings of the section `server`."""
        ...

    def bring_up(self, server: ServerConfig, log: Path, cgroup: Path | None = None) -> TargetServer:
        """Start it, or find it; return when it can be loaded.

        `server` is the configuration's section, of which a target takes what applies to it. Its log goes to
        the file `log` where soak starts it, in the cgroup with the folder `cgroup`, if one is given. Call
        from the main thread. Raises `SoakError` for what the user can put right, `TargetError` when it does
        not come up.
        """
        ...


def identity_of(
    kind: str, capabilities: Capabilities, pid: int | None, url: str, start_time: float | None, **more: object
) -> dict[str, Any]:
    """Return what a manifest says of every target, with what is said `more` of this one."""
    return {
        "kind": kind,
        "capabilities": sorted(capabilities),
        "pid": pid,
        "url": url,
        "start_time": start_time,
        **more,
    }

"""A server that is already running, known by its address and its process id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import psutil

from soak.capabilities import ATTACHED
from soak.errors import SoakError
from soak.targets.child import runs
from soak.targets.oom import OomWatch
from soak.targets.server import ServerExit, identity_of

if TYPE_CHECKING:
    from pathlib import Path

    from soak.config import ServerConfig


class AttachedServer:
    """A server somebody else started: it is watched, never stopped."""

    def __init__(self, url: str, pid: int) -> None:
        """Attach to process `pid` that serves `url`.

        Raises `SoakError` when there is no such process or it may not be looked at.
        """
        self.url = url
        self.pid = pid
        self.capabilities = ATTACHED
        self._oom = OomWatch()
        try:
            self._process = psutil.Process(pid)
            self._identity = identity_of(
                "attached",
                ATTACHED,
                pid,
                url,
                self._process.create_time(),
                command_line=self._process.cmdline(),
                model=None,
            )
            self._process.memory_full_info()
        except psutil.NoSuchProcess:
            raise SoakError(f"--pid {pid}: there is no such process; see 'pgrep -af funasr'") from None
        except psutil.AccessDenied:
            raise SoakError(
                f"--pid {pid}: its memory may not be read; run soak as the same user, or as root"
            ) from None

    def identity(self) -> dict[str, Any]:
        """Return kind, capabilities, pid, address, command line and start time."""
        return self._identity

    def poll(self) -> ServerExit | None:
        """Return how it ended, or None while it runs; a process id used anew counts as ended."""
        if runs(self._process):
            return None
        return ServerExit(return_code=None, oom_killed=self._oom.struck(), log_tail=())

    def stop(self) -> None:
        """Leave it running: soak did not start it."""


@dataclass(frozen=True)
class Attachment:
    """Where a server that is already running is found."""

    url: str
    pid: int
    default_config = "attached"
    is_reference = False

    @classmethod
    def asked(cls, url: str | None, pid: int | None) -> Self | None:
        """Return what --url and --pid ask for, None without them; raises `SoakError` when one is missing."""
        if url is None and pid is None:
            return None
        if url is None or pid is None:
            raise SoakError("--url and --pid go together: the address to load and the process to sample")
        return cls(url, pid)

    def bring_up(self, _server: ServerConfig, _log: Path, _cgroup: Path | None = None) -> AttachedServer:
        """Attach to it; raises `SoakError` when there is no such process or it may not be looked at."""
        return AttachedServer(self.url, self.pid)

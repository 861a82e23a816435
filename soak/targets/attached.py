"""A server that is already running, known by its address and its process id."""

from __future__ import annotations

from typing import Any

import psutil

from soak.errors import SoakError
from soak.targets.oom import OomWatch
from soak.targets.server import ServerExit


class AttachedServer:
    """A server somebody else started: it is watched, never stopped."""

    def __init__(self, url: str, pid: int) -> None:
        """Attach to process `pid` that serves `url`.

        Raises `SoakError` when there is no such process or it may not be looked at.
        """
        self.url = url
        self.pid = pid
        self._oom = OomWatch()
        try:
            self._process = psutil.Process(pid)
            self._identity = {
                "kind": "attached",
                "pid": pid,
                "url": url,
                "command_line": self._process.cmdline(),
                "start_time": self._process.create_time(),
                "model": None,
            }
            self._process.memory_full_info()
        except psutil.NoSuchProcess:
            raise SoakError(f"--pid {pid}: there is no such process; see 'pgrep -af funasr'") from None
        except psutil.AccessDenied:
            raise SoakError(
                f"--pid {pid}: its memory may not be read; run soak as the same user, or as root"
            ) from None

    def identity(self) -> dict[str, Any]:
        """Return kind, pid, address, command line and start time."""
        return self._identity

    def poll(self) -> ServerExit | None:
        """Return how it ended, or None while it runs; a process id used anew counts as ended."""
        if self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE:
            return None
        return ServerExit(return_code=None, oom_killed=self._oom.struck(), log_tail=())

    def stop(self) -> None:
        """Leave it running: soak did not start it."""

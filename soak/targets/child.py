"""A process that soak starts, watches and stops: what every target of its own has in common."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections import deque
from typing import IO, TYPE_CHECKING, Self

import psutil

from soak.private_file import umask_of_the_user
from soak.targets.oom import OomWatch
from soak.targets.server import ServerExit
from soak.tether import tied_to_this_process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LOG_TAIL_LINES = 15
LOG_TAIL_BYTES = 16_384
STOP_GRACE_S = 10.0
"""A server that was asked to end may take so long to close its connections."""
KILL_GRACE_S = 10.0
END_POLL_S = 0.02


class ChildProcess:
    """A process in a session of its own, with a log, that dies with this one."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        """Wrap a process that runs; use `start`."""
        self.pid = process.pid
        self.log = log
        self._process = process
        self._oom = OomWatch()

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str],
        cgroup: Path | None = None,
        announces: bool = False,
    ) -> Self:
        """Start `command` with its complaints appended to the file `log`.

        What it writes to standard output goes there, too, or can be read from `announced` where it
        `announces` something. It runs in the cgroup with the folder `cgroup`, if one is given. Call from the
        main thread: the kernel ties its life to the thread that starts it.
        """
        with log.open("ab") as log_stream:
            process = subprocess.Popen(
                tied_to_this_process(list(command), cgroup),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if announces else log_stream,
                stderr=log_stream,
                text=True,
                env=dict(environment),
                umask=umask_of_the_user(),
                start_new_session=True,  # Ctrl-C is for the harness, which then stops the server itself
            )
        return cls(process, log)

    @property
    def announced(self) -> IO[str]:
        """Its standard output; only of a process that `announces` something."""
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: it was asked for
        return self._process.stdout

    @property
    def return_code(self) -> int | None:
        """Its exit status, or None while it runs; negative is the signal that ended it."""
        return self._process.poll()

    def poll(self) -> ServerExit | None:
        """Return how it ended, or None while it runs."""
        status = self._process.poll()
        if status is None:
            return None
        killed = status == -signal.SIGKILL and self._oom.struck()
        return ServerExit(status, oom_killed=killed, log_tail=tail(self.log))

    def kill(self) -> None:
        """End it at once, without waiting for it."""
        self._process.kill()

    def end(self, grace_s: float = STOP_GRACE_S) -> None:
        """Ask it and what it has started to end; make them end when they do not within `grace_s` seconds."""
        if self._process.poll() is None and grace_s > 0:
            started = psutil.Process(self.pid).children(recursive=True)
            give_up_s = time.monotonic() + grace_s
            self._send(signal.SIGTERM)
            while self._process.poll() is None or any(map(runs, started)):
                if time.monotonic() >= give_up_s:
                    break
                time.sleep(END_POLL_S)
        self._send(signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):  # the kernel does not let go of it: it will
            self._process.wait(KILL_GRACE_S)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def last_line(self) -> str:
        """Return the last line that says something in its log."""
        return next((line for line in reversed(tail(self.log)) if line.strip()), "it wrote nothing")

    def _send(self, number: signal.Signals) -> None:
        """Send a signal to its whole session: what it has started ends with it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)


def runs(process: psutil.Process) -> bool:
    """Return whether `process` runs; one that has ended and was not waited for does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def tail(log: Path) -> tuple[str, ...]:
    """Return the last lines of `log`, oldest first; none where it cannot be read."""
    try:
        with log.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - LOG_TAIL_BYTES))
            text = stream.read().decode(errors="replace")
    except OSError:
        return ()
    return tuple(deque(text.splitlines(), maxlen=LOG_TAIL_LINES))

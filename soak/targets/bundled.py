"""The bundled reference server, started as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Self

import psutil

from soak.errors import SoakError, TargetError
from soak.targets.oom import OomWatch
from soak.targets.server import ServerExit
from soak.tether import tied_to_this_process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOG_TAIL_LINES = 15
LOG_TAIL_BYTES = 16_384
USAGE_STATUS = 2
"""The exit status with which the server refuses a flag, a port or a model."""


class BundledServer:
    """The reference server as a child process that dies with this one."""

    def __init__(self, process: subprocess.Popen[str], url: str, log: Path, identity: dict[str, Any]) -> None:
        """Wrap a running server; use `start`."""
        self.url = url
        self.pid = process.pid
        self._process = process
        self._log = log
        self._oom = OomWatch()
        self._identity = {
            "kind": "bundled",
            "pid": process.pid,
            "url": url,
            "start_time": psutil.Process(process.pid).create_time(),
            **identity,
        }

    @classmethod
    def start(
        cls,
        flags: list[str],
        *,
        log: Path,
        model: dict[str, Any],
        environment: Mapping[str, str],
        cgroup: Path | None = None,
        timeout_s: float = 180.0,
    ) -> Self:
        """Start `python -m asr_server` with `flags` and wait until it listens.

        Its log goes to the file `log`; it runs in the cgroup with the folder `cgroup`, if one is given. Call
        from the main thread: the kernel ties the server's life to the thread that starts it. Raises
        `SoakError` when it refuses its flags, `TargetError` when it does not come up within `timeout_s`.
        """
        with log.open("ab") as log_stream:
            process = subprocess.Popen(
                tied_to_this_process([sys.executable, "-m", "asr_server", *flags], cgroup),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log_stream,
                text=True,
                env=dict(environment),
                start_new_session=True,  # Ctrl-C is for the harness, which then stops the server itself
            )
        try:
            url = _announced_url(process, timeout_s)
        except BaseException:
            _end(process, grace_s=0.0)
            raise
        if url is None:
            raise _not_started(process, log, timeout_s)
        identity = {"command_line": ["python", "-m", "asr_server", *flags], "model": model}
        return cls(process, url, log, identity)

    def identity(self) -> dict[str, Any]:
        """Return kind, pid, address, command line, start time and model."""
        return self._identity

    def poll(self) -> ServerExit | None:
        """Return how it ended, or None while it runs."""
        status = self._process.poll()
        if status is None:
            return None
        killed = status == -9 and self._oom.struck()
        return ServerExit(status, oom_killed=killed, log_tail=tail(self._log))

    def stop(self) -> None:
        """Ask it to end, and make it end when it does not within 10 s."""
        _end(self._process, grace_s=10.0)


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


def _announced_url(process: subprocess.Popen[str], timeout_s: float) -> str | None:
    """Return the address from the line `{"event": "listening", …}`, or None if it ends or hangs."""
    assert process.stdout is not None  # noqa: S101 - for the type checker: it was asked for
    hung = threading.Timer(timeout_s, process.kill)
    hung.start()
    try:
        for line in process.stdout:
            announcement = json.loads(line)
            if announcement.get("event") == "listening":
                return str(announcement["url"])
    except ValueError:
        return None
    finally:
        hung.cancel()
    return None


def _not_started(process: subprocess.Popen[str], log: Path, timeout_s: float) -> SoakError:
    _end(process, grace_s=1.0)
    last_line = next((line for line in reversed(tail(log)) if line.strip()), "it wrote nothing")
    if process.returncode == USAGE_STATUS:
        return SoakError(f"the server refused to start: {last_line}")
    return TargetError(
        f"the server did not listen within {timeout_s:.0f} s (status {process.returncode}): {last_line}; "
        f"see {log}"
    )


def _end(process: subprocess.Popen[str], *, grace_s: float) -> None:
    if process.poll() is None and grace_s > 0:
        process.terminate()
        try:
            process.wait(timeout=grace_s)
        except subprocess.TimeoutExpired:
            process.kill()
    elif process.poll() is None:
        process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()

"""The bundled reference server, started as a process of its own."""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import psutil

from asr_server.paraformer.catalog import resolve_model
from soak.capabilities import BUNDLED, PAGES
from soak.errors import SoakError, TargetError
from soak.targets.child import ChildProcess
from soak.targets.environment import server_environment
from soak.targets.flags import server_flags
from soak.targets.server import identity_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from soak.config import ServerConfig
    from soak.targets.server import ServerExit

USAGE_STATUS = 2
"""The exit status with which the server refuses a flag, a port or a model."""
PAGES_FLAG = "--introspection"


class BundledServer:
    """The reference server as a child process that dies with this one."""

    def __init__(self, child: ChildProcess, url: str, flags: list[str], model: dict[str, Any]) -> None:
        """Wrap a running server; use `start`."""
        self.url = url
        self.pid = child.pid
        self.capabilities = BUNDLED | PAGES if PAGES_FLAG in flags else BUNDLED
        self._child = child
        self._identity = identity_of(
            "bundled",
            self.capabilities,
            child.pid,
            url,
            psutil.Process(child.pid).create_time(),
            command_line=["python", "-m", "asr_server", *flags],
            model=model,
        )

    @classmethod
    def start(
        cls,
        flags: list[str],
        *,
        log: Path,
        model: dict[str, Any],
        environment: Mapping[str, str],
        cgroup: Path | None = None,
        run_by: Sequence[str] = (),
        timeout_s: float = 180.0,
    ) -> Self:
        """Start `python -m asr_server` with `flags` and wait until it listens.

        `run_by` are words between the two, such as those of a profiler that runs a module itself. Its log
        goes to the file `log`; it runs in the cgroup with the folder `cgroup`, if one is given. Call from the
        main thread: the kernel ties the server's life to the thread that starts it. Raises `SoakError` when
        it refuses its flags, `TargetError` when it does not come up within `timeout_s`.
        """
        child = ChildProcess.start(
            [sys.executable, *run_by, "-m", "asr_server", *flags],
            log=log,
            environment=environment,
            cgroup=cgroup,
            announces=True,
        )
        try:
            url = _announced_url(child, timeout_s)
        except BaseException:
            child.end(grace_s=0.0)
            raise
        if url is None:
            child.end(grace_s=1.0)
            raise _not_started(child, timeout_s)
        return cls(child, url, flags, model)

    def identity(self) -> dict[str, Any]:
        """Return kind, capabilities, pid, address, command line, start time and model."""
        return self._identity

    def poll(self) -> ServerExit | None:
        """Return how it ended, or None while it runs."""
        return self._child.poll()

    def stop(self) -> None:
        """Ask it to end, and make it end when it does not within 10 s."""
        self._child.end()


@dataclass(frozen=True)
class Bundled:
    """The bundled server, started as the configuration says."""

    run_by: tuple[str, ...] = ()
    """Words between the interpreter and `-m asr_server`, such as those of a profiler."""
    default_config = "minimal"
    is_reference = True

    def bring_up(self, server: ServerConfig, log: Path, cgroup: Path | None = None) -> BundledServer:
        """Start it; raises as `BundledServer.start` does."""
        model_dir = resolve_model(server.model)
        return BundledServer.start(
            server_flags(server, model_dir),
            log=log,
            model={"name": server.model, "path": str(model_dir)},
            environment=server_environment(server),
            cgroup=cgroup,
            run_by=self.run_by,
        )


def _announced_url(child: ChildProcess, timeout_s: float) -> str | None:
    """Return the address from the line `{"event": "listening", …}`, or None if it ends or hangs."""
    hung = threading.Timer(timeout_s, child.kill)
    hung.start()
    try:
        for line in child.announced:
            announcement = json.loads(line)
            if announcement.get("event") == "listening":
                return str(announcement["url"])
    except ValueError:
        return None
    finally:
        hung.cancel()
    return None


def _not_started(child: ChildProcess, timeout_s: float) -> SoakError:
    if child.return_code == USAGE_STATUS:
        return SoakError(f"the server refused to start: {child.last_line()}")
    return TargetError(
        f"the server did not listen within {timeout_s:.0f} s (status {child.return_code}): "
        f"{child.last_line()}; see {child.log}"
    )

"""Any server, started by a command: it is found by the port it listens on."""

from __future__ import annotations

import shutil
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import psutil

from soak.capabilities import STARTED
from soak.errors import SoakError, TargetError
from soak.targets.child import ChildProcess, runs, tail
from soak.targets.environment import server_environment
from soak.targets.server import ServerExit, identity_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from soak.config import ServerConfig

PORT = "{port}"
"""Stands in a command and in an address for a free port."""
DEFAULT_URL = f"ws://127.0.0.1:{PORT}"
DEFAULT_PORTS = {"ws": 80, "wss": 443}
START_TIMEOUT_S = 180.0
POLL_S = 0.05


class CommandServer:
    """A server somebody wrote, as a child process that dies with this one."""

    def __init__(self, child: ChildProcess, program: psutil.Process, url: str, command: list[str]) -> None:
        """Wrap a running server; use `start`."""
        self.url = url
        self.pid = program.pid
        self.capabilities = STARTED
        self.log = child.log
        self._child = child
        self._program = program
        self._identity = identity_of(
            "command", STARTED, program.pid, url, program.create_time(), command_line=command, model=None
        )

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        url: str,
        *,
        log: Path,
        environment: Mapping[str, str],
        cgroup: Path | None = None,
        timeout_s: float = START_TIMEOUT_S,
    ) -> Self:
        """Start `command` and wait until something of it listens on the port of `url`.

        `{port}` in both is replaced by a free port. What it writes goes to the file `log`; it runs in the
        cgroup with the folder `cgroup`, if one is given. Call from the main thread: the kernel ties its life
        to the thread that starts it. Raises `SoakError` when there is no such program, or no port to be found
        by, `TargetError` when it ends at once or does not listen within `timeout_s`.
        """
        if not command or shutil.which(command[0], path=environment.get("PATH")) is None:
            raise SoakError(f"cannot start {command[0] if command else 'nothing'}: there is no such program")
        if PORT in url or any(PORT in part for part in command):
            port = str(_free_port())
            url = url.replace(PORT, port)
            command = [part.replace(PORT, port) for part in command]
        host, number = _place_of(url)
        child = ChildProcess.start(command, log=log, environment=environment, cgroup=cgroup)
        try:
            _wait_until_it_listens(child, host, number, timeout_s)
            return cls(child, _program(child.pid, number), url, list(command))
        except BaseException:
            child.end(grace_s=0.0)
            raise

    def identity(self) -> dict[str, Any]:
        """Return kind, capabilities, pid, address, command line and start time."""
        return self._identity

    def poll(self) -> ServerExit | None:
        """Return how it ended, or None while it runs; a shell that outlives its server does not count."""
        ended = self._child.poll()
        if ended is not None:
            return ended
        if runs(self._program):
            return None
        return ServerExit(return_code=None, oom_killed=False, log_tail=tail(self.log))

    def stop(self) -> None:
        """Ask it and what it has started to end, and make them end when it does not within 10 s."""
        self._child.end()


@dataclass(frozen=True)
class Command:
    """A server that is started by a command line."""

    words: tuple[str, ...]
    """The program and its arguments; `{port}` stands for a free port."""
    url: str = DEFAULT_URL
    """Its WebSocket address; `{port}` stands for the same."""
    default_config = "attached"
    is_reference = False

    def bring_up(self, server: ServerConfig, log: Path, cgroup: Path | None = None) -> CommandServer:
        """Start it with the `preload` and the `environment` of `server`; raises as `CommandServer.start`."""
        environment = server_environment(server)
        return CommandServer.start(self.words, self.url, log=log, environment=environment, cgroup=cgroup)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _place_of(url: str) -> tuple[str, int]:
    """Return host and port of a WebSocket address; raises `SoakError` for anything else."""
    try:
        parts = urlsplit(url)
        usual = DEFAULT_PORTS[parts.scheme]
        port = parts.port or usual
    except (KeyError, ValueError):
        raise SoakError(f"--url {url}: write it as {DEFAULT_URL}, or with the server's own port") from None
    return parts.hostname or "127.0.0.1", port


def _wait_until_it_listens(child: ChildProcess, host: str, port: int, timeout_s: float) -> None:
    """Poll the port: a foreign server has no other way to say that it is there."""
    give_up_s = time.monotonic() + timeout_s
    while time.monotonic() < give_up_s:
        ended = child.poll()
        if ended is not None:
            said = "\n".join(ended.log_tail)
            raise TargetError(f"the server ended at once (status {ended.return_code}): {said}")
        try:
            socket.create_connection((host, port), timeout=1.0).close()
        except OSError:
            time.sleep(POLL_S)
        else:
            return
    raise TargetError(f"the server does not listen on port {port} after {timeout_s:g} s; see {child.log}")


def _program(pid: int, port: int) -> psutil.Process:
    """Return the process that listens on `port`: `pid` itself, or what a shell or a script has started.

    The outermost one is the server, its workers listen on the same socket. `pid` where it cannot be seen.
    """
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        try:
            sockets = process.net_connections(kind="tcp")
        except psutil.Error:
            continue
        if any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in sockets):
            return process
    return root

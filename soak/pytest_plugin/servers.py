"""The server that a test soaks, and the lock that keeps soaks of one machine apart."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from soak.studies.check.rhythm import RHYTHM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from soak.pytest_plugin.options import SoakOptions

START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 10.0
POLL_S = 0.05


@dataclass(frozen=True)
class SoakServer:
    """A running server, as a test sees it."""

    url: str
    """Its WebSocket address."""
    pid: int
    """Its process."""
    log: Path
    """What it wrote to standard error; for a command also to standard output."""


@contextmanager
def alone_on_this_machine() -> Iterator[None]:
    """Wait until no other test of this user soaks: two loads at once would disturb each other's figures."""
    with FileLock(Path(tempfile.gettempdir()) / f"soak-pytest-{os.getuid()}.lock"):
        yield


@contextmanager
def running_server(options: SoakOptions, folder: Path) -> Iterator[SoakServer]:
    """Start the server that `options` ask for, its log in `folder`, and stop it in the end."""
    log = folder / "server.log"
    start = _bundled if options.command is None else _command
    with start(options, log) as server:
        yield server


@contextmanager
def _bundled(options: SoakOptions, log: Path) -> Iterator[SoakServer]:
    # imported when a server is started: a test session without one pays nothing for the plugin
    from soak.config import load_config  # noqa: PLC0415
    from soak.errors import SoakError  # noqa: PLC0415
    from soak.run.session import start_bundled  # noqa: PLC0415

    try:
        server = load_config(options.config or "minimal", (*RHYTHM, *options.settings)).server
        started = start_bundled(server, log)
    except SoakError as error:
        pytest.fail(f"soak: {error}", pytrace=False)
    try:
        yield SoakServer(started.url, started.pid, log)
    finally:
        started.stop()


@contextmanager
def _command(options: SoakOptions, log: Path) -> Iterator[SoakServer]:
    port = _free_port()
    command = [part.replace("{port}", str(port)) for part in options.command or ()]
    with log.open("ab") as stream:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True
            )
        except OSError as error:
            pytest.fail(f"soak: cannot start {command[0]}: {error.strerror}", pytrace=False)
    try:
        _wait_until_it_listens(process, port, log)
        yield SoakServer(options.url.replace("{port}", str(port)), process.pid, log)
    finally:
        _stop(process)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Poll the port: a foreign server has no other way to say that it is there."""
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            last = log.read_text(encoding="utf-8", errors="replace")[-1000:]
            pytest.fail(
                f"soak: the server ended at once (status {process.returncode}):\n{last}", pytrace=False
            )
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError:
            time.sleep(POLL_S)
        else:
            return
    pytest.fail(f"soak: the server does not listen on port {port} after {START_TIMEOUT_S:g} s", pytrace=False)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server and what it started: its session is its own."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sent)
        except ProcessLookupError:
            break
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            continue
    process.wait()

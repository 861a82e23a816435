"""The server that a test soaks, and the lock that keeps soaks of one machine apart."""

from __future__ import annotations

import os
import tempfile
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
    # imported when a server is started: a test session without one pays nothing for the plugin
    from soak.config import load_config  # noqa: PLC0415
    from soak.errors import SoakError  # noqa: PLC0415
    from soak.targets import Bundled, Command  # noqa: PLC0415

    log = folder / "server.log"
    target = Bundled() if options.command is None else Command(tuple(options.command), options.url)
    try:
        config = load_config(options.config or target.default_config, (*RHYTHM, *options.settings))
        server = target.bring_up(config.server, log)
    except SoakError as error:
        pytest.fail(f"soak: {error}", pytrace=False)
    try:
        yield SoakServer(server.url, server.pid, log)
    finally:
        server.stop()

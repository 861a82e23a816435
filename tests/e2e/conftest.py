"""The installed command, run as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMMAND = str(Path(sys.executable).with_name("soak"))


@dataclass(frozen=True)
class Finished:
    """What a finished command left."""

    status: int
    out: str
    err: str


@pytest.fixture
def soak(tmp_path: Path) -> Callable[..., Finished]:
    """Run `soak` with arguments in an empty folder, on an 80-column terminal's width, to its end."""

    def run(*arguments: str, timeout_s: float = 120.0, **environment: str) -> Finished:
        done = subprocess.run(
            [COMMAND, *arguments],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1", **environment},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def soak_in_background(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `soak` with arguments; whatever still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [COMMAND, *arguments],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()

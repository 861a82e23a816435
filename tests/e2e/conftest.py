"""The installed command, run as a user runs it; and runs of it made once, for every test that reads one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from tests.e2e.rundirs import QUICK, SHORT_BLOCKS, only_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Soak = Callable[..., "Finished"]
    Start = Callable[..., subprocess.Popen[str]]
    Recorded = Callable[..., "Run"]

COMMAND = str(Path(sys.executable).with_name("soak"))


@dataclass(frozen=True)
class Finished:
    """What a finished command left."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Run:
    """A run that was made for all tests: read it, and write elsewhere."""

    path: Path
    done: Finished


def _run(folder: Path, *arguments: str, timeout_s: float = 120.0, **environment: str) -> Finished:
    done = subprocess.run(
        [COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def soak(tmp_path: Path) -> Soak:
    """Run `soak` with arguments in an empty folder, on an 80-column terminal's width, to its end."""

    def run(*arguments: str, timeout_s: float = 120.0, **environment: str) -> Finished:
        return _run(tmp_path, *arguments, timeout_s=timeout_s, **environment)

    return run


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Run `soak` with arguments in a folder of this name, unless another test or worker has done so."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def record(name: str, *arguments: str) -> Run:
        folder = shared / f"recorded-{name}"
        finished = folder / "finished.json"
        with FileLock(shared / f"recorded-{name}.lock"):
            if not finished.exists():
                folder.mkdir()
                finished.write_text(json.dumps(asdict(_run(folder, *arguments, timeout_s=170.0))))
        return Run(only_run(folder), Finished(**json.loads(finished.read_text())))

    return record


@pytest.fixture(scope="session")
def healthy_run(recorded: Recorded) -> Run:
    """A run of the bundled server over 60 connections, which says where its memory is."""
    classes = ("--set", "sample.smaps_interval_s=1", "--set", "sample.smaps_share=0.05")
    return recorded("healthy", "run", "--connections", "60", "--json", *QUICK, *classes)


@pytest.fixture(scope="session")
def leaking_run(recorded: Recorded) -> Run:
    """A run until decided of a server that keeps 1 MiB of every connection, long enough to know its slope."""
    leak = ("--set", 'server.inject=["session:1MiB"]', "--confidence", "99%")
    return recorded("leaking", "run", "--until-decided", "--max-minutes", "5", "--json", *SHORT_BLOCKS, *leak)


@pytest.fixture(scope="session")
def undecided_run(recorded: Recorded) -> Run:
    """A check whose time ends long before anything is as sure as is asked."""
    surer = ("--confidence", "99.9999%")
    return recorded("undecided", "check", "--max-minutes", "0.05", "--json", *SHORT_BLOCKS, *surer)


@pytest.fixture
def soak_in_background(tmp_path: Path) -> Iterator[Start]:
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

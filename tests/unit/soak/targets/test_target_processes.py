"""Servers under test: how their end is seen, and that none outlives the harness."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from soak.errors import SoakError
from soak.targets import AttachedServer, ServerExit
from soak.targets.child import tail
from soak.targets.oom import OomWatch
from soak.targets.server import ServerExit as Exit

WAITING = [sys.executable, "-c", "input()"]


@pytest.fixture
def running() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(WAITING, stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_an_attached_server_is_watched_and_left_running(running: subprocess.Popen[bytes]) -> None:
    server = AttachedServer("ws://127.0.0.1:1", running.pid)
    assert server.poll() is None
    server.stop()
    assert running.poll() is None
    assert server.identity()["pid"] == running.pid
    running.kill()
    running.wait()
    ended = server.poll()
    assert ended is not None
    assert ended.describe() == "its process is gone"


def test_a_process_that_is_not_there_is_told_in_one_line() -> None:
    with subprocess.Popen(WAITING, stdin=subprocess.PIPE) as process:
        process.communicate(b"\n")
    with pytest.raises(SoakError, match="there is no such process"):
        AttachedServer("ws://127.0.0.1:1", process.pid)


def test_a_command_started_through_the_launcher_dies_with_its_parent() -> None:
    parent_code = (
        "import subprocess, sys\n"
        "from soak.tether import tied_to_this_process\n"
        "child = subprocess.Popen(tied_to_this_process([sys.executable, '-c', "
        "\"print('up', flush=True); import signal; signal.pause()\"]), stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "input()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", parent_code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        gone, alive = psutil.wait_procs([child], timeout=20)
        assert [process.pid for process in gone] == [child.pid]
        assert not alive


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        (Exit(-11, oom_killed=False, log_tail=()), "ended by SIGSEGV"),
        (Exit(3, oom_killed=False, log_tail=()), "exited with status 3"),
        (Exit(-9, oom_killed=True, log_tail=()), "OOM"),
    ],
)
def test_an_end_is_described_in_words(ended: ServerExit, words: str) -> None:
    assert words in ended.describe()


def test_the_out_of_memory_killer_is_noticed_by_its_counter(tmp_path: Path) -> None:
    vmstat = tmp_path / "vmstat"
    vmstat.write_text("nr_free_pages 1\noom_kill 2\n")
    watch = OomWatch(vmstat)
    assert not watch.struck()
    vmstat.write_text("nr_free_pages 1\noom_kill 3\n")
    assert watch.struck()
    assert not OomWatch(tmp_path / "absent").struck()


def test_the_tail_of_a_long_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("".join(f"line {number}\n" for number in range(10_000)))
    lines = tail(log)
    assert lines[-1] == "line 9999"
    assert len(lines) == 15
    assert tail(tmp_path / "absent") == ()

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from memray._memray import Interval

from soak.config.schema import ServerConfig
from soak.errors import SoakError
from soak.studies.profile.choice import Allocator, profiler_for
from soak.studies.profile.jemalloc_profiler import JemallocProfiler
from soak.studies.profile.memray_profiler import (
    CAPTURE,
    MemrayProfiler,
    in_use_bytes,
    is_python,
    read_capture,
    under_memray,
)
from soak.studies.profile.windows import RunClock, Window
from soak.targets import Attachment, Bundled, Command

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from soak.studies.profile.heap_course import HeapCourse

MEMRAY = ("-m", "memray", "run")
PROGRAM = """
import sys

kept = []

def keep():
    kept.append(bytes(367))

def serve():
    work = bytes(200_000)
    keep()

for line in sys.stdin:
    for _ in range(10):
        serve()
    print("done", flush=True)
"""
KEEP_LINE, SESSION_BYTES = 7, 400
"""A small object: what CPython takes from arenas of its own."""
CLOCK = RunClock(0.0, (0.0, 30.0), (0.0, 30.0))


def kept_bytes(course: HeapCourse, program: Path) -> NDArray[np.float64]:
    """What the line that leaks holds."""
    leak = ("keep", str(program), KEEP_LINE)
    found = [
        in_use
        for (first, *_), in_use in course.bytes_by_stack.items()
        if (first.function, first.file, first.line) == leak
    ]
    return sum(found, np.zeros(course.t_s.size))


def recorded(capture: Path, program: Path, sessions: int) -> Window:
    """Wait until the capture, which lags behind on a busy machine, holds so many sessions."""
    while True:
        now = Window(float(sessions), time.time())
        with contextlib.suppress(SoakError, ValueError):  # nothing is in it yet
            if kept_bytes(read_capture(capture, [now], CLOCK), program)[0] >= sessions * SESSION_BYTES:
                return now
        time.sleep(0.1)


@pytest.mark.parametrize("is_killed", [False, True])
def test_what_python_holds_at_each_moment_is_known_by_stack(tmp_path: Path, *, is_killed: bool) -> None:
    program, capture = tmp_path / "program.py", tmp_path / CAPTURE
    program.write_text(PROGRAM, encoding="utf-8")
    server = MemrayProfiler().under(Command((sys.executable, str(program))), ServerConfig(), tmp_path)[0]
    assert isinstance(server, Command)
    process = subprocess.Popen(server.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    windows = []
    for number in range(1, 4):
        process.stdin.write("go\n")
        process.stdin.flush()
        assert process.stdout.readline() == "done\n"
        windows.append(recorded(capture, program, 10 * number))
    if is_killed:
        process.kill()
    process.communicate()
    course = read_capture(capture, windows, CLOCK)
    expected = [sessions * SESSION_BYTES for sessions in (10, 20, 30)]
    assert kept_bytes(course, program).tolist() == pytest.approx(expected, rel=0.05)  # and the list itself
    assert course.connections.tolist() == [10.0, 20.0, 30.0]


def test_an_allocation_counts_from_its_snapshot_to_that_before_its_end() -> None:
    # made before the second snapshot, freed before the fifth; made before the third, never freed
    intervals = [Interval(1, 4, 1, 100), Interval(2, None, 3, 10)]
    taken = np.arange(7)  # snapshots that had been taken
    assert in_use_bytes(intervals, taken).tolist() == [0, 0, 100, 110, 110, 10, 10]


def test_a_python_command_is_known_by_its_interpreter_or_its_first_line(tmp_path: Path) -> None:
    script = tmp_path / "serve"
    script.write_text(f"#!{sys.executable}\nprint()\n", encoding="utf-8")
    script.chmod(0o755)
    assert is_python(("python3.12", "server.py"))
    assert is_python((str(script), "--port", "1"))
    assert not is_python(("./funasr-wss-server-2pass",))
    assert not is_python(("sh", "-c", "python server.py"))


def test_memray_stands_between_interpreter_and_program(tmp_path: Path) -> None:
    here = sys.executable
    assert under_memray((here, "-u", "-X", "dev", "server.py", "-m"), MEMRAY) == (
        here,
        "-u",
        "-X",
        "dev",
        *MEMRAY,
        "server.py",
        "-m",
    )
    assert under_memray((here, "-m", "server"), MEMRAY) == (here, *MEMRAY, "-m", "server")
    script = tmp_path / "serve"
    script.write_text(f"#!/usr/bin/env {here}\nprint()\n", encoding="utf-8")
    script.chmod(0o755)
    assert under_memray((str(script), "--port"), MEMRAY) == (here, *MEMRAY, str(script), "--port")


def test_text_on_the_command_line_and_native_programs_are_refused() -> None:
    with pytest.raises(SoakError, match=r"python script\.py"):
        under_memray((sys.executable, "-c", "print()"), MEMRAY)
    with pytest.raises(SoakError, match="--allocator jemalloc"):
        under_memray(("/bin/true",), MEMRAY)


def test_a_file_that_is_no_capture_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / CAPTURE).write_bytes(b"something else")
    with pytest.raises(SoakError, match="cannot be read by memray"):
        read_capture(tmp_path / CAPTURE, [], RunClock(0.0, (), ()))


def test_the_profiler_goes_by_the_server() -> None:
    assert profiler_for(Bundled()) == MemrayProfiler()
    assert profiler_for(Command(("python", "server.py"))) == MemrayProfiler()
    assert profiler_for(Command(("/bin/true",))) == JemallocProfiler()
    assert profiler_for(Bundled(), Allocator.JEMALLOC, sample_bytes=1024, interval_bytes=5000) == (
        JemallocProfiler(lg_sample=10, lg_interval=12)
    )
    with pytest.raises(SoakError, match="--native"):
        profiler_for(Command(("/bin/true",)), native=True)
    with pytest.raises(SoakError, match="--sample"):
        profiler_for(Command(("/bin/true",)), sample_bytes=0)


def test_a_server_that_runs_already_cannot_be_profiled(tmp_path: Path) -> None:
    running = Attachment("ws://127.0.0.1:1", 1)
    for profiler in (MemrayProfiler(), JemallocProfiler()):
        with pytest.raises(SoakError, match="--command"):
            profiler.under(running, ServerConfig(), tmp_path)


def test_another_malloc_does_not_go_with_jemalloc(tmp_path: Path) -> None:
    with pytest.raises(SoakError, match=r"server\.preload is mimalloc"):
        JemallocProfiler().under(Bundled(), ServerConfig(preload="mimalloc"), tmp_path)

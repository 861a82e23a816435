from __future__ import annotations

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

MEMRAY = ("-m", "memray", "run")
PROGRAM = """
import sys

kept = []

def keep():
    kept.append([object() for _ in range(100)])

def serve():
    work = bytes(200_000)
    keep()

for line in sys.stdin:
    for _ in range(10):
        serve()
    print("done", flush=True)
"""
KEEP_LINE = 7


def test_what_python_holds_at_each_moment_is_known_by_stack(tmp_path: Path) -> None:
    program, capture = tmp_path / "program.py", tmp_path / CAPTURE
    program.write_text(PROGRAM, encoding="utf-8")
    server = MemrayProfiler().under(Command((sys.executable, str(program))), ServerConfig(), tmp_path)[0]
    assert isinstance(server, Command)
    process = subprocess.Popen(server.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    windows = []
    for number in range(3):
        process.stdin.write("go\n")
        process.stdin.flush()
        assert process.stdout.readline() == "done\n"
        time.sleep(0.5)  # the clock of a capture ticks every 10 ms where the machine has the time
        windows.append(Window(float(number), time.time()))
    process.communicate()
    course = read_capture(capture, windows, RunClock(0.0, (0.0, 2.0), (10.0, 30.0)))
    stack, in_use = max(course.bytes_by_stack.items(), key=lambda item: item[1][2] - item[1][0])
    assert (stack[0].function, stack[0].file, stack[0].line) == ("<listcomp>", str(program), KEEP_LINE) or (
        stack[0].function,
        stack[0].line,
    ) == ("keep", KEEP_LINE)
    # a hundred objects of 16 bytes for each of ten sessions, and the list of each
    assert 16_000 < in_use[1] - in_use[0] < 28_000
    assert in_use[2] - in_use[1] == pytest.approx(in_use[1] - in_use[0], rel=0.02)
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

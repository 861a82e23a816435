from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from soak.errors import SoakError
from soak.studies.profile.culprits import culprits
from soak.studies.profile.jemalloc import LoadedFile, profile_files, profiling_environment
from soak.studies.profile.jemalloc_profiler import JemallocProfiler, nearest_before, unneeded
from soak.studies.profile.result import profile_result
from soak.studies.profile.symbols import Symbolizer
from soak.studies.profile.windows import RunClock
from soak.verdict.verdict import Label
from tests.unit.soak.studies.profile.conftest import SOURCE

if TYPE_CHECKING:
    from tests.unit.soak.studies.profile.conftest import Profiled

SIZE_CLASS_BYTES = 56 * 1024
"""What jemalloc hands out for 50 KiB, and counts."""
PROFILER = JemallocProfiler(lg_sample=13, lg_interval=20)


def line_of(text: str) -> int:
    lines = SOURCE.read_text(encoding="utf-8").splitlines()
    (line,) = [number for number, each in enumerate(lines, 1) if text in each]
    return line


def test_a_leak_behind_make_unique_and_vector_is_named_to_its_line(profiled: Profiled) -> None:
    course = PROFILER.read(profiled.folder, profiled.pid, profiled.windows, profiled.clock)
    worst = culprits(course)[0]
    assert worst.growth.label is Label.CLIMBING
    assert worst.growth.per_connection is not None
    assert worst.growth.per_connection.estimate == pytest.approx(SIZE_CLASS_BYTES, rel=0.05)
    assert worst.share > 0.9
    assert worst.site.function.startswith("Session::Session")
    assert worst.site.file is not None
    assert (Path(worst.site.file).name, worst.site.line) == ("leak.cc", line_of("the leak is got here"))
    called = [(frame.function.partition("(")[0], frame.line) for frame in worst.callers]
    assert ("on_close", line_of("remember(std::make_unique")) in called
    assert "serve" in [name for name, _ in called]
    assert not any("cold" in frame.function for frame in worst.stack)
    assert any("make_unique" in frame.function and frame.inlined for frame in worst.callers)


def test_a_stripped_program_is_named_by_file_and_offset(
    profiled_stripped: Profiled, leaking_program: Path
) -> None:
    course = PROFILER.read(
        profiled_stripped.folder, profiled_stripped.pid, profiled_stripped.windows, profiled_stripped.clock
    )
    worst = culprits(course)[0]
    assert re.fullmatch(r"stripped\+0x[0-9a-f]+", worst.site.function)
    assert worst.site.module == "stripped"
    # the same program with its symbols says what stands there
    whole = Symbolizer([LoadedFile(0, 2**32, 0, str(leaking_program))])
    names = [frame.function for frame in whole.stack((worst.site.offset + 1,))]
    assert any(name.startswith("on_close") for name in names)
    found = profile_result(course, [], run="run", profiler="jemalloc", command="soak profile")
    assert found.notes == (
        "stripped has no symbols: its calls are told as file+offset; build with -g, and do not strip.",
    )


def test_profiles_that_no_window_needs_are_deleted(profiled: Profiled, tmp_path: Path) -> None:
    for path in profile_files(profiled.folder, profiled.pid):
        (tmp_path / path.name).hardlink_to(path)
    ends = [window.unix_s for window in profiled.windows]
    before = profile_files(tmp_path, profiled.pid)
    course = PROFILER.read(tmp_path, profiled.pid, profiled.windows, profiled.clock)
    PROFILER.tidy(tmp_path, profiled.pid, ends)
    left = profile_files(tmp_path, profiled.pid)
    # the last is written at the program's end, after the last window
    assert len(ends) <= len(left) <= len(ends) + 1 < len(before)
    again = PROFILER.read(tmp_path, profiled.pid, profiled.windows, profiled.clock)
    assert again.total_bytes.tolist() == course.total_bytes.tolist()


def test_a_process_without_jemalloc_is_told_at_its_start(
    jemalloc: None, leaking_program: Path, tmp_path: Path
) -> None:
    del jemalloc
    with pytest.raises(SoakError, match="jemalloc is not in process"):
        PROFILER.verify(tmp_path, os.getpid())
    environment = {**os.environ, **profiling_environment(tmp_path)}
    with subprocess.Popen(
        [str(leaking_program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"1 1\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"done\n"
        PROFILER.verify(tmp_path, process.pid)
        process.stdin.close()


def test_no_profile_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SoakError, match="--profile-every 1MiB"):
        PROFILER.read(tmp_path, 1, [], RunClock(0.0, (), ()))


def test_the_profile_of_a_window_is_the_newest_before_its_end() -> None:
    files = [(float(second), Path(f"{second}")) for second in (3, 5, 11, 12, 25)]
    assert nearest_before(files, [2.0, 10.0, 20.0]) == [(5.0, Path("5")), (12.0, Path("12"))]
    assert nearest_before(files, [12.0, 13.0, 14.0]) == [(12.0, Path("12"))]
    assert nearest_before([], [1.0]) == []


def test_what_may_serve_the_window_in_progress_is_kept() -> None:
    files = [(float(second), Path(f"{second}")) for second in (3, 5, 11, 12, 25)]
    assert unneeded(files, []) == []
    assert unneeded(files, [10.0]) == [Path("3")]
    assert unneeded(files, [10.0, 20.0]) == [Path("3"), Path("11")]

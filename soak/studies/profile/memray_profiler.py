"""Python servers: memray runs the program and records every allocation with its Python stack."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from soak.errors import SoakError
from soak.studies.profile.extra import require_memray
from soak.studies.profile.frames import Frame
from soak.studies.profile.heap_course import HeapCourse
from soak.targets import Bundled, Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memray import FileReader
    from memray._memray import Interval
    from numpy.typing import NDArray

    from soak.config import ServerConfig
    from soak.studies.profile.windows import RunClock, Window
    from soak.targets import Target

CAPTURE = "memray.bin"
"""Readable by `memray flamegraph` and the like, too."""
PYTHON = re.compile(r"(?:python|pypy)[\d.]*$")
WITH_A_VALUE = {"-W", "-X", "--check-hash-based-pycs"}
"""Options of the interpreter whose value is the next word."""
ENDS_OPTIONS = {"-m", "-c"}
SHEBANG_BYTES = 256
PROBE_WITHIN_S = 30.0
"""An interpreter that takes longer to import a package hangs."""
SHOWN_FRAMES = 60
"""Of the innermost calls; deeper ones say the same of every stack."""
OUTSIDE_PYTHON = Frame("(a thread without Python code)", module="native")


@dataclass(frozen=True)
class MemrayProfiler:
    """Runs the server under memray."""

    native: bool = False
    """Whether C and C++ calls are recorded between the Python ones; costs CPU at every allocation."""
    name = "memray"

    def under(self, target: Target, server: ServerConfig, folder: Path) -> tuple[Target, ServerConfig]:
        """Return the target and settings with which it starts under memray; the capture goes to `folder`.

        Raises `SoakError`, in one line, for a server that cannot be started so, or without memray.
        """
        require_memray()
        words = self._words(folder / CAPTURE)
        if isinstance(target, Bundled):
            return replace(target, run_by=words), server
        if isinstance(target, Command):
            return replace(target, words=under_memray(target.words, words)), server
        raise SoakError("memray must start the server: give --command, not the address of a running one")

    def verify(self, folder: Path, pid: int) -> None:
        """Raise `SoakError` where memray has not begun: the command started something else."""
        if not (folder / CAPTURE).is_file():
            raise SoakError(f"memray does not run in process {pid}: start the server's own script or module")

    def tidy(self, folder: Path, pid: int, ends_unix_s: Sequence[float]) -> None:
        """Do nothing: there is one file, and all of it is needed."""

    def read(self, folder: Path, pid: int, windows: Sequence[Window], clock: RunClock) -> HeapCourse:
        """Return what was in use at the end of every window; raises `SoakError` where there is no capture."""
        del pid
        require_memray()
        return read_capture(folder / CAPTURE, windows, clock)

    def _words(self, capture: Path) -> tuple[str, ...]:
        native = ("--native",) if self.native else ()
        # without --trace-python-allocators small objects are seen only as arenas of 1 MiB, charged to whoever
        # happened to need one
        options = ("--quiet", "--force", "--trace-python-allocators", *native)
        return ("-m", "memray", "run", *options, "--output", str(capture.absolute()))


def is_python(words: Sequence[str]) -> bool:
    """Tell whether a command starts a Python program: by its interpreter, or a script that names one."""
    return bool(words) and (_is_interpreter(words[0]) or _interpreter_of_script(words[0]) is not None)


def under_memray(words: Sequence[str], memray: Sequence[str]) -> tuple[str, ...]:
    """Return a Python command with `memray` between interpreter and program.

    Raises `SoakError` where it is no Python command, runs text given by -c, or has no memray installed.
    """
    if not _is_interpreter(words[0]):
        interpreter = _interpreter_of_script(words[0])
        if interpreter is None:
            raise SoakError(
                f"{words[0]} is no Python program as far as can be seen: start it as python …, or give "
                "--allocator jemalloc"
            )
        words = (interpreter, str(shutil.which(words[0])), *words[1:])
    _check_it_has_memray(words[0])
    place = _program_at(words)
    if place == len(words) or words[place] == "-c":
        raise SoakError("memray runs a script or a module: start the server as python script.py or python -m")
    return (*words[:place], *memray, *words[place:])


def read_capture(path: Path, windows: Sequence[Window], clock: RunClock) -> HeapCourse:
    """Return the bytes in use by stack at the end of every window.

    The capture notes the time every 10 ms, and of every allocation between which of them it lived. Raises
    `SoakError` for a file that memray cannot read.
    """
    try:
        with _reader(path) as reader:
            times_s = np.array([each.time for each in reader.get_memory_snapshots()], dtype=np.float64) / 1e3
        with _reader(path) as reader:
            native = bool(reader.metadata.has_native_traces)
            taken = np.searchsorted(times_s, [window.unix_s for window in windows], side="right")
            found: defaultdict[tuple[Frame, ...], NDArray[np.float64]] = defaultdict(
                lambda: np.zeros(len(windows))
            )
            for record in reader.get_temporal_allocation_records(merge_threads=True):
                in_use = in_use_bytes(record.intervals, taken)
                if in_use.any():
                    trace = record.hybrid_stack_trace if native else record.stack_trace
                    found[_stack(trace(SHOWN_FRAMES))] += in_use
    except (OSError, ValueError) as error:
        raise SoakError(f"{path} cannot be read by memray: {error}") from None
    t_s = np.array([window.t_s for window in windows])
    connections = np.array([clock.connections_at(each) for each in t_s])
    total = np.sum(list(found.values()), axis=0) if found else np.zeros(len(windows))
    return HeapCourse(t_s, connections, dict(found), total)


def _reader(path: Path) -> FileReader:
    from memray import FileReader  # noqa: PLC0415 - an optional extra

    return FileReader(path)


def in_use_bytes(intervals: Iterable[Interval], taken: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return how many bytes of one stack were in use when so many snapshots had been `taken`.

    An interval names the first snapshot after its allocations, and the first after they were freed.
    """
    in_use = np.zeros(taken.size)
    for interval in intervals:
        lived = taken > interval.allocated_before_snapshot
        if interval.deallocated_before_snapshot is not None:
            lived &= taken <= interval.deallocated_before_snapshot
        in_use[lived] += interval.n_bytes
    return in_use


def _stack(trace: Sequence[tuple[str, str, int]]) -> tuple[Frame, ...]:
    if not trace:
        return (OUTSIDE_PYTHON,)
    return tuple(
        Frame(function, file, line, module="" if file.endswith(".py") or file.startswith("<") else "native")
        for function, file, line in trace
    )


def _is_interpreter(word: str) -> bool:
    return PYTHON.match(Path(word).name) is not None


def _interpreter_of_script(word: str) -> str | None:
    """Return the interpreter that a script names in its first line; None where it is no Python script."""
    found = shutil.which(word)
    if found is None:
        return None
    try:
        with Path(found).open("rb") as stream:
            first = stream.read(SHEBANG_BYTES).split(b"\n", 1)[0]
    except OSError:
        return None
    words = first.decode(errors="replace").removeprefix("#!").split() if first.startswith(b"#!") else []
    if words and Path(words[0]).name == "env":
        words = words[1:]
    return words[0] if words and _is_interpreter(words[0]) else None


def _program_at(words: Sequence[str]) -> int:
    """Return where the interpreter's own options end."""
    place = 1
    while place < len(words) and words[place].startswith("-") and words[place] not in ENDS_OPTIONS:
        place += 2 if words[place] in WITH_A_VALUE else 1
    return place


def _check_it_has_memray(interpreter: str) -> None:
    if shutil.which(interpreter) == shutil.which(sys.executable):
        return
    try:
        probe = subprocess.run(
            [interpreter, "-c", "import memray"], capture_output=True, check=False, timeout=PROBE_WITHIN_S
        )
    except subprocess.TimeoutExpired:
        raise SoakError(f"{interpreter} does not answer: give --allocator jemalloc") from None
    except OSError as error:
        raise SoakError(f"cannot start {interpreter}: {error.strerror}") from None
    if probe.returncode:
        raise SoakError(
            f"{interpreter} has no memray: {interpreter} -m pip install memray, or give --allocator jemalloc"
        )

"""A C++ program that leaks, built with the system's compiler, and the heap profiles it writes on jemalloc."""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from soak.studies.profile.jemalloc import profile_files, profiling_environment
from soak.studies.profile.windows import RunClock, Window

SOURCE = Path(__file__).parent / "leak.cc"
ROUNDS, SESSIONS, KEPT_BYTES = 10, 20, 51200
ROUND_S = 10.0
BEGAN_UNIX_S = 1_700_000_000.0


@dataclass(frozen=True)
class Profiled:
    """What a program that leaks has left."""

    folder: Path
    pid: int
    windows: list[Window]
    clock: RunClock


@pytest.fixture(scope="session")
def compiler() -> str:
    found = shutil.which("g++") or shutil.which("c++")
    if found is None:
        pytest.skip("there is no C++ compiler (Debian: g++)")
    return found


@pytest.fixture(scope="session")
def leaking_program(compiler: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, optimised, with debug information."""
    program = tmp_path_factory.mktemp("leak") / "leak"
    subprocess.run([compiler, "-std=c++17", "-O2", "-g", str(SOURCE), "-o", str(program)], check=True)
    return program


@pytest.fixture(scope="session")
def stripped_program(leaking_program: Path) -> Path:
    """The same without any symbols."""
    strip = shutil.which("strip")
    if strip is None:
        pytest.skip("there is no strip (Debian: binutils)")
    stripped = leaking_program.with_name("stripped")
    subprocess.run([strip, "-o", str(stripped), str(leaking_program)], check=True)
    return stripped


@pytest.fixture(scope="session")
def jemalloc() -> None:
    if ctypes.util.find_library("jemalloc") is None:
        pytest.skip("there is no jemalloc (Debian: libjemalloc2)")


@pytest.fixture(scope="session")
def profiled(jemalloc: None, leaking_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Profiled:
    del jemalloc
    return run_and_profile(leaking_program, tmp_path_factory.mktemp("profiles"))


@pytest.fixture(scope="session")
def profiled_stripped(
    jemalloc: None, stripped_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> Profiled:
    del jemalloc
    return run_and_profile(stripped_program, tmp_path_factory.mktemp("profiles"))


def run_and_profile(program: Path, folder: Path) -> Profiled:
    """Have it serve in rounds with a quiet window after each; a round stands for ten seconds."""
    environment = {**os.environ, **profiling_environment(folder, lg_sample=13, lg_interval=20)}
    process = subprocess.Popen(
        [str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdin is not None
    assert process.stdout is not None
    windows = []
    stamped: set[Path] = set()
    for number in range(1, ROUNDS + 1):
        process.stdin.write(f"{SESSIONS} {KEPT_BYTES}\n")
        process.stdin.flush()
        assert process.stdout.readline() == "done\n"
        windows.append(Window(number * ROUND_S, BEGAN_UNIX_S + number * ROUND_S))
        written = [path for path in profile_files(folder, process.pid) if path not in stamped]
        for place, path in enumerate(written, 1):
            at_s = BEGAN_UNIX_S + (number - 1 + 0.9 * place / len(written)) * ROUND_S
            os.utime(path, (at_s, at_s))
        stamped.update(written)
    process.stdin.close()
    assert process.wait() == 0
    process.stdout.close()
    t_s = tuple(number * ROUND_S for number in range(ROUNDS + 1))
    # connections come in the first nine seconds of a round
    clock = RunClock(
        BEGAN_UNIX_S,
        tuple(sorted([*t_s, *(each + 0.9 * ROUND_S for each in t_s)])),
        tuple(
            sorted(
                [
                    *(SESSIONS * each / ROUND_S for each in t_s),
                    *(SESSIONS * (each / ROUND_S + 1) for each in t_s),
                ]
            )
        ),
    )
    return Profiled(folder, process.pid, windows, clock)

"""What does jemalloc's profiling cost a native program, against jemalloc without?

`python -m benchmarks.profile.jemalloc_cost [COMPARISONS]` builds `churn.cc`, which allocates as servers do,
and runs it in turns ABBA: with next to no work between its allocations, and with some as a recogniser has.
CPU time for the same work is compared, so that other work on the machine matters little. It needs g++ and
libjemalloc2.
"""

from __future__ import annotations

import ctypes.util
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from soak.studies.profile.jemalloc import profiling_environment

SOURCE = Path(__file__).with_name("churn.cc")
COMPARISONS = 12
CONFIDENCE = 0.95
ALLOCATED_PER_SESSION_BYTES = 40 * 80 * 60 * 4 + 18048 * 4 + 16384
"""Features, audio, words."""
SETTINGS = ((15, 25), (15, 28), (12, 25), (19, 28))
"""Powers of two: bytes to a sample, bytes to a profile; the first is the default."""


@dataclass(frozen=True)
class Work:
    """How the program is run."""

    sessions: int
    decodings: int


NOTHING_ELSE, RECOGNISER = Work(3000, 1), Work(100, 60)


def cpu_s(program: Path, work: Work, environment: dict[str, str]) -> float:
    """Return the CPU time the program took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [str(program), str(work.sessions), str(work.decodings)],
        env={**os.environ, **environment},
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compared(
    program: Path, work: Work, first: dict[str, str], second: dict[str, str], comparisons: int
) -> tuple[str, float]:
    """Return the CPU time with `second` as a multiple of that with `first`, and what `first` took."""
    logs, taken = [], []
    for _ in range(comparisons):
        a, b, again, last = (cpu_s(program, work, each) for each in (first, second, second, first))
        logs.append(np.log((b + again) / (a + last)))
        taken += [a, last]
    mean = float(np.mean(logs))
    spread = float(np.std(logs, ddof=1) / np.sqrt(comparisons))
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, comparisons - 1)) * spread
    words = f"{np.exp(mean):.3f} × (95 % {np.exp(mean - half):.3f} to {np.exp(mean + half):.3f})"
    return words, float(np.median(taken))


def main(comparisons: int) -> int:
    """Print the table."""
    compiler, jemalloc = shutil.which("g++"), ctypes.util.find_library("jemalloc")
    if compiler is None or jemalloc is None:
        print("needs g++ and libjemalloc2")
        return 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = folder / "churn"
        subprocess.run([compiler, "-std=c++17", "-O2", "-g", str(SOURCE), "-o", str(program)], check=True)
        plain = {"LD_PRELOAD": jemalloc}
        rows: list[tuple[str, dict[str, str], dict[str, str]]] = [
            ("jemalloc, against glibc's malloc", {}, plain),
            ("jemalloc, against itself", plain, plain),
        ]
        for lg_sample, lg_interval in SETTINGS:
            profiling = profiling_environment(folder, lg_sample=lg_sample, lg_interval=lg_interval)
            words = f"a sample in {2**lg_sample >> 10} KiB, a profile every {2**lg_interval >> 20} MiB"
            rows.append((f"{words}, against jemalloc", plain, profiling))
        print("| | allocates per CPU second | CPU time |")
        print("|---|---|---|")
        for work in (NOTHING_ELSE, RECOGNISER):
            for words, first, second in rows:
                ratio, took_s = compared(program, work, first, second, comparisons)
                rate = work.sessions * ALLOCATED_PER_SESSION_BYTES / took_s / 2**20
                print(f"| {words} | {rate:,.0f} MiB | {ratio} |", flush=True)
                for path in folder.glob("*.heap"):
                    path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else COMPARISONS))

"""Measures one contender: a bare loop in a process of its own, or a server under a paced load."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.serving.capacity import most_streams
from benchmarks.serving.paced import CHUNK_S, Load, LoadFigures
from benchmarks.serving.script import ContenderError
from benchmarks.serving.servers import on_core

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from benchmarks.serving.script import Script
    from benchmarks.serving.servers import Server
    from soak.dialects import Dialect

TOLERANCE = 0.03
"""The search ends when the number of streams is known this closely, or to one stream."""
FIRST_LOAD = 0.25
"""The first load of a search, as a share of what the CPU time of the bare loop would allow."""


@dataclass(frozen=True)
class LoopFigures:
    """CPU seconds per second of audio in a bare loop, one value for each round."""

    whole: Sequence[float]
    """Recognising."""
    bare: Sequence[float]
    """The same windows through bare `session.run`; empty where that was not measured."""
    transcript: str


@dataclass(frozen=True)
class ServerFigures:
    """What a server came to."""

    streams: int
    kept_up: int
    """How many of the runs at this number of streams it kept up in; the search's own run is not one."""
    runs: Sequence[LoadFigures]

    @property
    def transcripts(self) -> Counter[str]:
        """What was heard in all full streams."""
        return sum((run.transcripts for run in self.runs), Counter())


def run_loop(program: Sequence[str], arguments: Sequence[object], core: int) -> LoopFigures:
    """Run a loop's program on one core and read its line of JSON. Raises ContenderError."""
    command = [*program, *(str(argument) for argument in arguments)]
    with on_core(core):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise ContenderError(f"{command[0]} failed: {' '.join(last) or 'it said nothing'}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return LoopFigures(answer["whole"], answer.get("bare", []), answer["transcript"])


def run_server(
    server: Server,
    dialect: Dialect,
    script: Script,
    *,
    loop_cpu_s: float,
    repeats: int,
    tell: Callable[[str], None],
) -> ServerFigures:
    """Find how many streams the server keeps up with, then repeat that load.

    In time is what comes at most a chunk (600 ms) later than for a stream that has the server to itself.
    `loop_cpu_s` is the CPU time that recognition takes per second of audio; `tell` hears of progress.
    """

    def run(streams: int, allowed_s: float) -> LoadFigures:
        load = Load(server.url, dialect, script, streams, allowed_s=allowed_s)
        figures = asyncio.run(load.run(server.cpu_s))
        tell(
            f"{streams:4d} streams: {figures.on_time:4.0%} of results in time, 95 % within "
            f"{figures.lag_p95_s:.2f} s, {figures.cpu_s_per_audio_s * streams:.2f} of the core"
        )
        return figures

    alone_s = run(1, math.inf).lag_median_s
    if math.isinf(alone_s):
        raise ContenderError("a stream that had the server to itself got no result")
    allowed_s = alone_s + CHUNK_S
    first = run(max(1, int(FIRST_LOAD / loop_cpu_s)), allowed_s)
    streams = most_streams(
        lambda streams: run(streams, allowed_s).keeps_up,
        int(0.95 / first.cpu_s_per_audio_s),
        tolerance=TOLERANCE,
    )
    runs = [run(max(1, streams), allowed_s) for _ in range(repeats)]
    return ServerFigures(streams, sum(each.keeps_up for each in runs), runs)


def own_program() -> list[str]:
    """The bare loop of this repository."""
    return [sys.executable, "-m", "benchmarks.serving.own_loop"]


def funasr_program(python: Path) -> list[str]:
    """The bare loop of FunASR's package."""
    return [str(python), "benchmarks/serving/funasr_loop.py"]

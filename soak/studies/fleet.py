"""Judging many recorded runs on all cores, in the order given, with only the verdicts held in memory."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import forkserver
from typing import TYPE_CHECKING, Any

from soak.columns import JUDGED_COLUMNS
from soak.errors import ExitCode, SoakError, in_one_line
from soak.judging import judge_run, recorded_settings, worst
from soak.judging.document import SCHEMA_VERSION
from soak.recordings import read_runs
from soak.recordings.reading import NOTHING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from soak.judging import Judgement
    from soak.record import Run
    from soak.recordings import Asked

WORTH_A_POOL = 4
"""Fewer runs than this are judged here: starting processes costs more than they save."""
AHEAD_PER_WORKER = 16
"""Runs given out for each worker, so that one long file at the head does not leave the others idle."""
ONE_THREAD_EACH = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""The workers fill the cores; numerical libraries must not start a thread per core in each of them."""


@dataclass(frozen=True)
class Judged:
    """What one of many runs came to: a judgement, or one line on why there is none."""

    path: Path
    """As it was given."""
    judgement: Judgement | None = None
    error: str | None = None

    @property
    def name(self) -> str:
        """The file, and which of its series, as it is told in a line."""
        origin = None if self.judgement is None else self.judgement.origin
        return f"{self.path}" if origin is None or not origin.series else f"{self.path} {origin.series}"

    @property
    def exit_code(self) -> ExitCode:
        """The judgement's; that of a wrong usage where there is none."""
        return ExitCode.USAGE if self.judgement is None else self.judgement.exit_code

    def to_json_object(self) -> dict[str, Any]:
        """Return what `soak analyze --json` prints of it."""
        source = str(self.path)
        if self.judgement is not None:
            return self.judgement.to_json_object(source=source)
        return {"schema_version": SCHEMA_VERSION, "source": source, "verdict": None, "error": self.error}


def fleet_exit_code(codes: Sequence[ExitCode]) -> ExitCode:
    """Return the code of the worst run; a failure or a leak that was found outranks what is not known."""
    judged: list[ExitCode] = [code for code in codes if code is not ExitCode.USAGE]
    found = worst(judged) if judged else ExitCode.USAGE
    if len(judged) < len(codes) and found in (ExitCode.PLATEAU, ExitCode.INCONCLUSIVE):
        return ExitCode.USAGE
    return found


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def judge_path(
    path: Path, judge: Mapping[str, float] | None = None, asked: Asked = NOTHING
) -> list[tuple[Run, Judgement]]:
    """Read and judge what is at `path`, one judgement for each series it holds.

    `judge` replaces settings of the judge that the run was configured with; `asked` says what cannot be seen
    in a file of somebody else. Raises `SoakError`, and nothing else, if it cannot.
    """
    try:
        runs = read_runs(path, asked, JUDGED_COLUMNS)
        return [(run, judge_run(run, recorded_settings(run, judge))) for run in runs]
    except SoakError:
        raise
    except Exception as error:  # one recording's surprise must not cost the others their verdicts
        raise SoakError(f"{path} cannot be judged ({in_one_line(error)})") from error


def judge_fleet(
    paths: Sequence[Path],
    judge: Mapping[str, float] | None = None,
    jobs: int | None = None,
    asked: Asked = NOTHING,
) -> Generator[Judged, None, None]:
    """Judge every run of `paths` with at most `jobs` processes; yield the outcomes in the order given.

    By default there are as many as this process may use cores; fewer runs than `WORTH_A_POOL` are judged in
    this process. A run that cannot be judged is an outcome, too. Close the generator to stop the workers.
    Raises `SoakError` when a worker is killed from outside.
    """
    workers = min(jobs or usable_cores(), len(paths))
    if workers < 2 or len(paths) < WORTH_A_POOL:
        for path in paths:
            yield from judge_each(path, judge, asked)
        return
    with _pool(workers) as pool:
        remaining = iter(paths)
        given_out: deque[Future[list[Judged]]] = deque()
        while True:
            for path in islice(remaining, AHEAD_PER_WORKER * workers - len(given_out)):
                given_out.append(pool.submit(judge_each, path, judge, asked))
            if not given_out:
                return
            try:
                yield from given_out.popleft().result()
            except BrokenProcessPool:
                raise SoakError(
                    "a process that was judging was killed (out of memory?): try again with --jobs 1",
                    exit_code=ExitCode.SOAK_FAILED,
                ) from None


def judge_each(path: Path, judge: Mapping[str, float] | None, asked: Asked) -> list[Judged]:
    """Judge every series of a file; one that cannot be read is an outcome, too."""
    try:
        judged = judge_path(path, judge, asked)
    except SoakError as error:
        return [Judged(path, error=str(error))]
    return [Judged(path, judgement) for _, judgement in judged]


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Run worker processes, each a copy of one process that has imported everything once.

    An end by an error or an interruption does not wait for what they are at.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    already_there = set(multiprocessing.active_children())
    with _inherited_by_workers():
        forkserver.ensure_running()
    pool = ProcessPoolExecutor(workers, mp_context=context)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in set(multiprocessing.active_children()) - already_there:
            worker.terminate()
        raise
    finally:
        pool.shutdown()


@contextmanager
def _inherited_by_workers() -> Iterator[None]:
    """Give a process started meanwhile, and its copies, one thread and no ears for Ctrl-C (we end them)."""
    before = {name: os.environ.get(name) for name in ONE_THREAD_EACH}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.environ.update(ONE_THREAD_EACH)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

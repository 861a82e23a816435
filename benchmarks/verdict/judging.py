"""Ask every rule about every trace, on all cores."""

from __future__ import annotations

import functools
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from benchmarks.verdict.peers import PEERS
from benchmarks.verdict.recorded import FAMILY
from benchmarks.verdict.scoring import Answer, Arrival, arrive, hold
from soak.analyse import Series, judge_series
from soak.analyse.posterior.weights import WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from benchmarks.verdict.scoring import Held
    from benchmarks.verdict.trace import Trace
    from soak.analyse.posterior.weighing import Weights
    from soak.verdict.verdict import Label, SeriesVerdict

SOAK = "soak"
"""Name of this project's engine among the rules."""
LEANING = "soak, leaning"
"""What it leans to, also where it decides nothing yet: like the peers, it then always says something."""
RULES = (SOAK, LEANING, *PEERS)
"""Every rule, by the name the table gives it."""
AHEAD = 8
"""Traces per worker that wait for it: enough to keep it busy, few enough to bound the memory."""

UNSTEADY = frozenset(
    {"sub_linear", "in_bursts", "rare_events", "creep_cut_short", "logarithmic_warm_up", FAMILY}
)
"""Families whose growth is not steady to the end, or only on average: their truth is of no interval. Of a
recorded run it is unknown: RSS grows by more than what was kept, in the allocator's steps."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Question:
    """What is asked about each trace."""

    rules: tuple[str, ...]
    """Names of the rules asked."""
    timed: bool
    """Whether they are asked about the trace's beginnings too."""
    weights: Weights = WEIGHTS
    """Of soak's engine."""


def ask(trace: Trace, *, question: Question) -> list[Answer]:
    """Ask each rule about one trace; raises RuntimeError naming the rule and the trace if one fails."""
    judged = functools.cache(functools.partial(_judge, trace.series, question.weights))
    return [_answer(rule, trace, question, judged) for rule in question.rules]


def prefix(series: Series, share: float) -> Series:
    """Cut a series off after a share of its time; 1 is the whole."""
    if share >= 1.0:
        return series
    stamped = series.t_s[np.isfinite(series.t_s)]
    end_s = stamped[0] + share * (stamped[-1] - stamped[0])
    return series.part(~(series.t_s > end_s))


def in_parallel(work: Callable[[Item], Result], items: Iterable[Item], *, workers: int) -> Iterator[Result]:
    """Give the results as they come, from that many processes; `items` are drawn only a little ahead.

    An exception in a worker is raised here, and what was waiting is given up.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting: set[Future[Result]] = set()
        try:
            for item in items:
                waiting.add(pool.submit(work, item))
                if len(waiting) >= AHEAD * workers:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            for future in waiting:
                future.cancel()


def with_progress(
    work: Callable[[Item], list[Result]], items: Sequence[Item], *, workers: int, what: str
) -> list[Result]:
    """Do the work for each item on that many processes, show how far it is, and join what each gives."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    found: list[Result] = []
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=len(items))
        for several in in_parallel(work, items, workers=workers):
            found += several
            progress.advance(task)
    return found


@dataclass(frozen=True)
class _Judgement:
    """What the engine says, and what that took."""

    verdict: SeriesVerdict
    cpu_s: float


Judge = Callable[[float], _Judgement]
"""The engine's judgement of a share of one trace."""


def _answer(rule: str, trace: Trace, question: Question, judged: Judge) -> Answer:
    try:
        return _asked(rule, trace, question, judged)
    except Exception as error:
        raise RuntimeError(f"{rule} failed on {trace.name}: {error}") from error


def _asked(rule: str, trace: Trace, question: Question, judged: Judge) -> Answer:
    look = functools.partial(_look, rule, trace.series, judged)
    own = rule in (SOAK, LEANING)
    began_s = time.process_time()
    label = look(1.0)
    answer = Answer(
        rule=rule,
        trace=trace.name,
        family=trace.family,
        leaking=trace.leaking,
        signal_to_noise=trace.signal_to_noise,
        label=label,
        cpu_s=judged(1.0).cpu_s if own else time.process_time() - began_s,
    )
    if rule == SOAK and trace.family not in UNSTEADY:
        answer = replace(answer, held=_held(trace, judged(1.0).verdict))
    return replace(answer, arrival=_arrival(trace, look)) if question.timed else answer


def _held(trace: Trace, verdict: SeriesVerdict) -> tuple[Held, ...]:
    """Hold the intervals against the truth: of a leak, in the one unit its pace is steady in."""
    per_hour = verdict.growth_per_hour
    per_connection = verdict.growth_per_connection
    if not trace.leaking:
        return hold("hour", per_hour, 0.0, leaking=False) + hold(
            "connection", per_connection, 0.0, leaking=False
        )
    if trace.growth_bytes_per_connection is not None:
        return hold("connection", per_connection, trace.growth_bytes_per_connection, leaking=True)
    if trace.growth_bytes_per_audio_s is not None:
        return hold("audio second", verdict.growth_per_audio_s, trace.growth_bytes_per_audio_s, leaking=True)
    return hold("hour", per_hour, trace.growth_bytes_per_hour, leaking=True)


def _arrival(trace: Trace, look: Callable[[float], Label]) -> Arrival:
    share = arrive(look, leaking=trace.leaking, onset_share=trace.onset_share)
    return Arrival(share, None if share is None else _connections(prefix(trace.series, share)))


def _look(rule: str, series: Series, judged: Judge, share: float) -> Label:
    if rule == SOAK:
        return judged(share).verdict.label
    if rule == LEANING:
        return judged(share).verdict.leaning
    return PEERS[rule](prefix(series, share))


def _judge(series: Series, weights: Weights, share: float) -> _Judgement:
    began_s = time.process_time()
    verdict = judge_series(prefix(series, share), weights=weights)
    return _Judgement(verdict, time.process_time() - began_s)


def _connections(series: Series) -> float | None:
    counted = series.connections_completed
    if counted is None or not np.any(np.isfinite(counted)):
        return None
    return float(np.nanmax(counted))

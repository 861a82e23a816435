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

from benchmarks.verdict.agreement import contradictions
from benchmarks.verdict.answers import Answer, Arrival, Half
from benchmarks.verdict.former import answers_on
from benchmarks.verdict.intervals import Growths, held
from benchmarks.verdict.peers import PEERS
from benchmarks.verdict.scoring import arrive
from soak.analyse import JudgeSettings, Series, judge_series
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from benchmarks.verdict.selection import Which
    from benchmarks.verdict.trace import Trace
    from soak.verdict.verdict import SeriesVerdict

SOAK = "soak"
"""Name of this project's engine among the rules."""
LEANING = "soak, leaning"
"""What it leans to, also where it decides nothing yet: like the peers, it then always says something."""
FORMER = "former engine"
"""The engine before it, whose answers were kept: see `former/README.md`."""
RULES = (SOAK, LEANING, FORMER, *PEERS)
"""Every rule, by the name the table gives it."""
AHEAD = 8
"""Traces per worker that wait for it: enough to keep it busy, few enough to bound the memory."""

HALF = 0.5
BUDGET_SHARE = 0.0025
"""The default budget: growth of so much of the level over a run is accepted."""
TWO_SIDED_95 = JudgeSettings(confidence=0.975)
"""One-sided bounds at 97.5 % are the ends of a two-sided interval of 95 %."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Question:
    """What is asked about each trace."""

    rules: tuple[str, ...]
    """Names of the rules asked."""
    part: str = ""
    """The trace's part, by which the former engine's answers are found."""
    timed: bool = False
    """Whether the rules are asked about the trace's beginnings too."""


def ask_one(which: Which, *, rules: tuple[str, ...]) -> list[Answer]:
    """Make or read a trace and ask the rules about it."""
    return ask(which.get(), question=Question(rules, str(which.part), which.timed))


def ask(trace: Trace, *, question: Question) -> list[Answer]:
    """Ask each rule about one trace; raises RuntimeError naming the rule and the trace if one fails.

    There is no answer of the former engine on a trace that it was not asked about.
    """
    judged = functools.cache(functools.partial(_judge, trace.series))
    answers = []
    for rule in question.rules:
        try:
            answer = _answer(rule, trace, question, judged)
        except Exception as error:
            raise RuntimeError(f"{rule} failed on {trace.name}: {error}") from error
        answers += [] if answer is None else [answer]
    return answers


def prefix(series: Series, share: float) -> Series:
    """Cut a series off after a share of its time; 1 is the whole."""
    if share >= 1.0:
        return series
    stamped = series.t_s[np.isfinite(series.t_s)]
    end_s = stamped[0] + share * (stamped[-1] - stamped[0])
    return series.part(~(series.t_s > end_s))


def is_fair(trace: Trace, share: float) -> bool:
    """Say whether so much of a trace has the right answer of the whole: a leak must have added a budget."""
    if not trace.leaking:
        return True
    stamped = trace.series.t_s[np.isfinite(trace.series.t_s)]
    hours = (share - trace.onset_share) * float(stamped[-1] - stamped[0]) / 3600
    added, budget = trace.growth_bytes_per_hour * hours, BUDGET_SHARE * trace.level_bytes
    return trace.onset_share < share and not added <= budget  # unknown is fair


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


def _answer(rule: str, trace: Trace, question: Question, judged: Judge) -> Answer | None:
    if rule == FORMER:
        return _former(trace, question.part)
    look = functools.partial(_look, rule, trace.series, judged)
    own = rule in (SOAK, LEANING)
    began_s = time.process_time()
    label = look(1.0)
    cpu_s = judged(1.0).cpu_s if own else time.process_time() - began_s
    answer = replace(_about(trace, rule), label=label, cpu_s=cpu_s)
    if own:
        answer = replace(answer, probability=judged(1.0).verdict.probability_climbing)
    if rule == SOAK:
        answer = replace(
            answer,
            contradictions=_contradictions(judged(1.0).verdict),
            held=held(trace, Growths.of(judge_series(trace.series, TWO_SIDED_95))),
        )
    if is_fair(trace, HALF):
        sure = judged(HALF).verdict.probability_climbing if own else None
        answer = replace(answer, half=Half(look(HALF), sure))
    return replace(answer, arrival=_arrival(trace, look)) if question.timed else answer


def _about(trace: Trace, rule: str) -> Answer:
    """Give an answer that says nothing yet."""
    return Answer(
        rule=rule,
        trace=trace.name,
        family=trace.family,
        leaking=trace.leaking,
        signal_to_noise=trace.signal_to_noise,
        label=Label.INCONCLUSIVE,
        cpu_s=0.0,
        group=trace.group,
    )


def _former(trace: Trace, part: str) -> Answer | None:
    found = answers_on(part)
    said = found.whole.get(trace.name)
    if said is None:
        return None
    half = found.halves.get(trace.name)
    growth, budget = said.growths.per_hour, said.budget_per_hour
    against = () if growth is None or budget is None else contradictions(said.label, growth, budget)
    return replace(
        _about(trace, FORMER),
        label=said.label,
        cpu_s=said.cpu_s,
        probability=_stated(said.probability),
        contradictions=against,
        held=held(trace, said.growths),
        half=Half(half.label, _stated(half.probability)) if half and is_fair(trace, HALF) else None,
    )


def _stated(probability: float | None) -> float:
    return float("nan") if probability is None else probability


def _contradictions(verdict: SeriesVerdict) -> tuple[str, ...]:
    return contradictions(
        verdict.label,
        verdict.growth_per_hour,
        verdict.budget_per_hour,
        probability=verdict.probability_climbing,
        confidence=verdict.confidence,
    )


def _arrival(trace: Trace, look: Callable[[float], Label]) -> Arrival:
    share = arrive(look, leaking=trace.leaking, onset_share=trace.onset_share)
    return Arrival(share, None if share is None else _connections(prefix(trace.series, share)))


def _look(rule: str, series: Series, judged: Judge, share: float) -> Label:
    if rule == SOAK:
        return judged(share).verdict.label
    if rule == LEANING:
        return judged(share).verdict.leaning
    return PEERS[rule](prefix(series, share))


def _judge(series: Series, share: float) -> _Judgement:
    began_s = time.process_time()
    verdict = judge_series(prefix(series, share))
    return _Judgement(verdict, time.process_time() - began_s)


def _connections(series: Series) -> float | None:
    counted = series.connections_completed
    if counted is None or not np.any(np.isfinite(counted)):
        return None
    return float(np.nanmax(counted))

"""`python -m benchmarks.verdict`: how often is soak right, how soon, and how do others' rules do?"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: the cores are taken by processes

import functools
import json
import shlex
import sys
from pathlib import Path  # noqa: TC003  typer reads the annotation
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from benchmarks.verdict.judging import RULES, SOAK, Question, in_parallel
from benchmarks.verdict.leave_one_out import CANDIDATES, choose, score_left_out
from benchmarks.verdict.recorded import FAMILY
from benchmarks.verdict.selection import Part, ask_each, ask_one, wanted
from benchmarks.verdict.table import Results, misjudged, sections, to_json, to_markdown, to_rich
from benchmarks.verdict.trace import DEFAULT_COUNT_PER_FAMILY, FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.verdict.leave_one_out import LeaveOneOut
    from benchmarks.verdict.scoring import Answer
    from benchmarks.verdict.selection import Which
    from soak.analyse import JudgeSettings

PROGRAM = "benchmarks.verdict"

WIDTH = 160
"""Columns printed when the output is no terminal."""

Found = TypeVar("Found")


def main(
    part: Annotated[
        Part,
        typer.Option(
            help="test: made traces no setting was chosen on; the result to quote. tuning: to work with. "
            "real: recorded runs of real servers, under benchmarks/verdict/real."
        ),
    ] = Part.TEST,
    family: Annotated[
        list[str] | None,
        typer.Option(help="Only this family; may be given again. All by default.", metavar="NAME"),
    ] = None,
    count: Annotated[int, typer.Option(help="Traces per family.", min=1)] = DEFAULT_COUNT_PER_FAMILY,
    rule: Annotated[
        list[str] | None,
        typer.Option(help=f"Only this rule; may be given again. One of: {', '.join(RULES)}.", metavar="NAME"),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Processes.", min=1)] = len(os.sched_getaffinity(0)),
    *,
    time: Annotated[
        bool,
        typer.Option(
            help="Also ask every rule about the first 5 %, 10 %, … of each trace: 10 times the work."
        ),
    ] = True,
    leave_one_out: Annotated[
        bool,
        typer.Option(
            "--leave-one-out",
            help="Also choose soak's settings anew on the tuning part without each family in turn.",
        ),
    ] = False,
    show_misjudged: Annotated[
        bool, typer.Option("--show-misjudged", help="Also list every trace soak does not answer rightly.")
    ] = False,
    markdown: Annotated[
        Path | None, typer.Option(help="Also write the tables to this file.", metavar="FILE")
    ] = None,
    as_json: Annotated[
        Path | None,
        typer.Option(
            "--json", help="Also write the numbers and every single answer to this file.", metavar="FILE"
        ),
    ] = None,
) -> None:
    """Judge labelled traces by soak and by seven rules of others, and print what each is worth."""
    rules = _known("rule", rule, RULES)
    families = (FAMILY,) if part is Part.REAL else _known("family", family, tuple(FAMILIES))
    if family and part is Part.REAL:
        raise typer.BadParameter("recorded runs are one family: leave --family out")
    if leave_one_out and part is not Part.TEST:
        raise typer.BadParameter("leave-one-out scores the test part: leave --part at test")
    chosen = wanted(part, families, count)
    if not chosen:
        raise typer.BadParameter("there is no recorded run under benchmarks/verdict/real")
    question = Question(rules, timed=time)
    answers = _judge(chosen, functools.partial(ask_one, question=question), jobs, f"{part} part")
    left_out = _left_out(families, count, jobs) if leave_one_out else None
    ordered = sorted(answers, key=lambda a: (a.trace, rules.index(a.rule)))
    results = Results(part.value, rules, families, tuple(ordered), time, left_out)
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    laid = sections(results)
    for section in [*laid, misjudged(results)] if show_misjudged and SOAK in rules else laid:
        console.print(to_rich(section), "")
    if markdown is not None:
        markdown.write_text(
            to_markdown(laid, command=shlex.join(["python", "-m", PROGRAM, *sys.argv[1:]])), encoding="utf-8"
        )
    if as_json is not None:
        as_json.write_text(json.dumps(to_json(results), indent=1), encoding="utf-8")


def _known(what: str, given: Sequence[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    if not given:
        return known
    for name in given:
        if name not in known:
            raise typer.BadParameter(f"no {what} is called {name!r}; there are: {', '.join(known)}")
    return tuple(name for name in known if name in given)


def _left_out(families: Sequence[str], count: int, jobs: int) -> LeaveOneOut:
    """Ask each candidate once about each tuning trace, and those chosen once about each test trace."""
    tuning = _by_settings(Part.TUNING, families, count, CANDIDATES, jobs)
    chosen = {family: choose(tuning, without=family) for family in families}
    needed = tuple(c for c in CANDIDATES if c in chosen.values() or c == CANDIDATES[0])
    return score_left_out(chosen, _by_settings(Part.TEST, families, count, needed, jobs))


def _by_settings(
    part: Part, families: Sequence[str], count: int, candidates: tuple[JudgeSettings, ...], jobs: int
) -> dict[JudgeSettings, list[Answer]]:
    work = functools.partial(ask_each, candidates=candidates)
    found: dict[JudgeSettings, list[Answer]] = {settings: [] for settings in candidates}
    for settings, answer in _judge(wanted(part, families, count), work, jobs, f"leave one out, {part} part"):
        found[settings].append(answer)
    return found


def _judge(
    chosen: Sequence[Which], work: Callable[[Which], list[Found]], jobs: int, what: str
) -> list[Found]:
    """Do the work for each trace on all processes, and show how far it is."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    found: list[Found] = []
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=len(chosen))
        for several in in_parallel(work, chosen, workers=jobs):
            found += several
            progress.advance(task)
    return found


if __name__ == "__main__":
    program = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    program.command()(main)
    program(prog_name=f"python -m {PROGRAM}")

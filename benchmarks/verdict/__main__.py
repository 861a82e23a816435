"""`python -m benchmarks.verdict`: how often is soak right, how soon, and how do others' rules do?"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: the cores are taken by processes

import functools
import json
import shlex
import sys
from pathlib import Path  # noqa: TC003  typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from benchmarks.verdict.examples import DEFAULT_COUNT, collect
from benchmarks.verdict.judging import RULES, SOAK, with_progress
from benchmarks.verdict.leave_one_out import fit_without, score_left_out
from benchmarks.verdict.recorded import FAMILY
from benchmarks.verdict.selection import Part, ask_one, ask_without_family, wanted
from benchmarks.verdict.table import Results, misjudged, sections, to_json, to_markdown, to_rich
from benchmarks.verdict.trace import DEFAULT_COUNT_PER_FAMILY, FAMILIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.verdict.examples import Example
    from benchmarks.verdict.leave_one_out import LeaveOneOut
    from benchmarks.verdict.scoring import Answer

PROGRAM = "benchmarks.verdict"

TIMED_PER_FAMILY = 10
WIDTH = 160
"""Columns printed when the output is no terminal."""


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
    timed: Annotated[
        int,
        typer.Option(
            help="Of so many traces per family ask every rule about the first 5 %, 10 %, … too: 10 times the "
            "work. 0 for none; recorded runs are timed all, or none.",
            min=0,
        ),
    ] = TIMED_PER_FAMILY,
    *,
    leave_one_out: Annotated[
        bool,
        typer.Option(
            "--leave-one-out",
            help="Also fit soak's weights anew to the tuning part without each family in turn.",
        ),
    ] = False,
    fitted_to: Annotated[
        int, typer.Option(help="Tuning traces per family that are fitted to then.", min=1)
    ] = DEFAULT_COUNT,
    show_misjudged: Annotated[
        bool, typer.Option("--show-misjudged", help="Also list every trace soak does not answer rightly.")
    ] = False,
    examples: Annotated[
        Path | None,
        typer.Option(
            help="Read what is fitted to from this file if it is there, else keep it in it.", metavar="FILE"
        ),
    ] = None,
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
    if leave_one_out and SOAK not in rules:
        raise typer.BadParameter(f"leave-one-out compares answers of {SOAK}: leave --rule out")
    if leave_one_out and part is not Part.TEST:
        raise typer.BadParameter("leave-one-out scores the test part: leave --part at test")
    chosen = wanted(part, families, count)
    if not chosen:
        raise typer.BadParameter("there is no recorded run under benchmarks/verdict/real")
    if part is Part.REAL and timed:
        timed = len(chosen)
    work = functools.partial(ask_one, rules=rules, timed=timed)
    answers = with_progress(work, chosen, workers=jobs, what=f"{part} part")
    left_out = (
        _left_out(families, count, collect(fitted_to, jobs, examples), answers, jobs)
        if leave_one_out
        else None
    )
    ordered = sorted(answers, key=lambda a: (a.trace, rules.index(a.rule)))
    results = Results(part.value, rules, families, tuple(ordered), left_out)
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


def _left_out(
    families: Sequence[str],
    count: int,
    examples: Sequence[Example],
    answers: Sequence[Answer],
    jobs: int,
) -> LeaveOneOut:
    """Fit without each family, and ask about each test trace once more."""
    weights = fit_without(examples, families)
    work = functools.partial(ask_without_family, weights=weights)
    chosen = wanted(Part.TEST, families, count)
    without = with_progress(work, chosen, workers=jobs, what="leave one out, test part")
    return score_left_out(without, [a for a in answers if a.rule == SOAK])


if __name__ == "__main__":
    program = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    program.command()(main)
    program(prog_name=f"python -m {PROGRAM}")

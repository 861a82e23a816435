"""`python -m benchmarks.verdict`: how often is soak right, how soon, and how do others' rules do?"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: the cores are taken by processes

import functools
import json
from pathlib import Path  # noqa: TC003  typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.verdict.judging import RULES, SOAK, ask_one, with_progress
from benchmarks.verdict.layout import tell
from benchmarks.verdict.selection import PER_FAMILY, QUOTED, Part, wanted
from benchmarks.verdict.table import Results, misjudged, sections, to_json
from benchmarks.verdict.trace import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "benchmarks.verdict"

TIMED = 60
"""Traces of each part that rules are asked about the beginnings of."""


def main(
    part: Annotated[
        list[Part] | None,
        typer.Option(
            help="frozen, machines, heaps: made by another hand than what the judge was trained on. real: "
            "recorded runs of real servers, and beginnings of them; real-heaps: their heap in use. "
            "test, tuning: made by this repository's older generator. world: fresh traces of the world the "
            "judge learned from. May be given again. "
            f"{', '.join(QUOTED)} by default."
        ),
    ] = None,
    family: Annotated[
        list[str] | None,
        typer.Option(help="Only this family of test or tuning; may be given again.", metavar="NAME"),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            help=f"Traces: of test and tuning per family, {PER_FAMILY} by default; of others in all. "
            "Recorded runs are always all.",
            min=1,
        ),
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(help=f"Only this rule; may be given again. One of: {', '.join(RULES)}.", metavar="NAME"),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Processes.", min=1)] = len(os.sched_getaffinity(0)),
    timed: Annotated[
        int,
        typer.Option(
            help="Of so many traces per part ask every rule about the first 5 %, 10 %, … too. 0 for none.",
            min=0,
        ),
    ] = TIMED,
    *,
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
    """Judge labelled traces by soak, by its former engine and by eight rules of others."""
    rules = _known("rule", rule, RULES)
    families = _known("family", family, tuple(FAMILIES))
    found = [measured(each, rules, jobs, families, count, timed) for each in part or QUOTED]
    laid = [section for results in found for section in sections(results)]
    if show_misjudged and SOAK in rules:
        laid += [misjudged(results) for results in found]
    tell(laid, PROGRAM, markdown)
    if as_json is not None:
        as_json.write_text(json.dumps([to_json(results) for results in found], indent=1), encoding="utf-8")


def measured(
    part: Part,
    rules: tuple[str, ...],
    jobs: int,
    families: Sequence[str] = tuple(FAMILIES),
    count: int | None = None,
    timed: int = TIMED,
) -> Results:
    """Ask the rules about the traces of one part."""
    chosen = wanted(part, families=families, count=count, timed=timed)
    work = functools.partial(ask_one, rules=rules)
    answers = with_progress(work, chosen, workers=jobs, what=str(part))
    return Results(part.value, rules, tuple(sorted(answers, key=lambda a: (a.trace, rules.index(a.rule)))))


def _known(what: str, given: Sequence[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    if not given:
        return known
    for name in given:
        if name not in known:
            raise typer.BadParameter(f"no {what} is called {name!r}; there are: {', '.join(known)}")
    return tuple(name for name in known if name in given)


if __name__ == "__main__":
    program = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    program.command()(main)
    program(prog_name=f"python -m {PROGRAM}")

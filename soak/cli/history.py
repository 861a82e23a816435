"""`soak history`: the run at which memory stepped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.text import Text

from soak.analyse.steps import FEWEST, Step
from soak.cli.options import AsJson, Tolerance
from soak.quantity import format_bytes, format_percent
from soak.report.plain_table import plain_table
from soak.report.png import save
from soak.studies.compare.comparing import DEFAULT_TOLERANCE
from soak.studies.compare.figures import FIGURES
from soak.studies.history.picture import picture
from soak.studies.history.runs_over_time import History, read_histories, run_directories
from soak.studies.history.steps import figure_named, steps_of, to_json_object

SCHEMA_VERSION = 1
NEWEST = 20
"""Runs that are listed without a step among them."""


def history(
    folder: Annotated[
        Path, typer.Argument(help="Where the run directories are, at any depth.", metavar="DIR")
    ],
    *,
    figure: Annotated[
        str,
        typer.Option(
            help="What to follow: level, start, growth, peak, cpu-s-per-audio-s, first-partial-p50, "
            "final-p50 or final-p99."
        ),
    ] = "level",
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    png: Annotated[Path | None, typer.Option(help="Draw the longest history here, as a PNG picture.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find the run at which memory stepped, among many runs of one thing.

    Reads every run directory below DIR, sorts those of one thing (the same model,
    threads, load and class of machine) by the time they started, and finds where
    the figure stepped to another level and stayed: at least two runs on a side,
    99.9 % sure. Says what else changed there: packages, Python, kernel, processor.

    Nightly runs that are all kept:   soak history /reports --png memory.png

    Exit codes: 0 also when there are steps, 2 usage.
    """
    field = figure_named(figure)
    followed = FIGURES[field]
    console = Console(stderr=as_json)
    folders = run_directories(folder)
    progress = track(folders, "Judging runs", console=Console(stderr=True), transient=True)
    histories, left_out = read_histories(progress)
    for line in left_out:
        console.print(f"! left out: {line}", markup=False, highlight=False, style="yellow")
    found = [(each, steps_of(each, field, tolerance)) for each in histories]
    for each, steps in found:
        _tell(each, field, steps, console)
    if png is not None and found:
        longest, steps = found[0]
        save(picture(longest, field, followed.words, followed.write, steps), png)
        console.print(f"Picture: {png}", soft_wrap=True, highlight=False)
    if as_json:
        data = [to_json_object(each, field, steps) for each, steps in found]
        typer.echo(json.dumps({"schema_version": SCHEMA_VERSION, "histories": data}))


def _tell(each: History, field: str, steps: list[Step], console: Console) -> None:
    figure = FIGURES[field]
    count = len(each.entries)
    console.print(f"{each.name}: {figure.words}, {count} run(s)", style="bold", markup=False, highlight=False)
    details = [words for name, words in each.identity.items() if name != "scenario"]
    console.print(f"  {'; '.join(details)}", markup=False, highlight=False, style="dim")
    if count < FEWEST:
        console.print(f"  too few for a step: {FEWEST} are the least", highlight=False)
        return
    table = plain_table()
    table.add_column("started (UTC)", no_wrap=True)
    table.add_column(figure.words, no_wrap=True, justify="right")
    table.add_column("verdict", no_wrap=True)
    table.add_column("step", overflow="fold")
    at = {step.index: step for step in steps}
    first = min([count - NEWEST, *(step.index - 2 for step in steps)])
    for index, (entry, value) in enumerate(zip(each.entries, each.values(field), strict=True)):
        if index >= first:
            step = _step_in_words(each, at[index], field) if index in at else Text()
            table.add_row(
                entry.started_utc[:16].replace("T", " "), figure.write(value), entry.figures.verdict, step
            )
    if first > 0:
        console.print(f"  (the first {first} runs are not listed)", style="dim", highlight=False)
    console.print(table)
    console.print("no step" if not steps else f"{len(steps)} step(s)", highlight=False)
    console.print()


def _step_in_words(each: History, step: Step, field: str) -> Text:
    rises = step.difference.estimate > 0
    written = format_percent(step.difference.estimate / step.before) if step.before else ""
    size = format_bytes(step.difference.estimate, signed=True) if FIGURES[field].is_memory else written
    lines = [f"{'▲' if rises else '▼'} {size} ({written})", *each.changed_versions(step.index)]
    return Text("\n".join(lines), style="bold red" if rises else "green")

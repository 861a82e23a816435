"""`soak history`: the run at which memory stepped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from soak.cli.options import AsJson, Tolerance
from soak.studies.compare import DEFAULT_TOLERANCE
from soak.terminal import SafeConsole


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
    from rich.progress import track

    from soak.report.picture import save
    from soak.studies.compare.figures import FIGURES
    from soak.studies.history.picture import picture
    from soak.studies.history.runs_over_time import read_histories, run_directories
    from soak.studies.history.steps import figure_named, steps_of, to_json_object
    from soak.studies.history.table import history_parts

    field = figure_named(figure)
    followed = FIGURES[field]
    console = SafeConsole(stderr=as_json)
    folders = run_directories(folder)
    progress = track(folders, "Judging runs", console=SafeConsole(stderr=True), transient=True)
    histories, left_out = read_histories(progress)
    for line in left_out:
        console.print(f"! left out: {line}", markup=False, highlight=False, style="yellow")
    found = [(each, steps_of(each, field, tolerance)) for each in histories]
    for each, steps in found:
        for part in history_parts(each, field, steps):
            console.print(part)
    if png is not None and found:
        longest, steps = found[0]
        save(picture(longest, field, followed.words, followed.write, steps), png)
        console.print(f"Picture: {png}", soft_wrap=True, highlight=False)
    if as_json:
        typer.echo(json.dumps(to_json_object(found, field)))

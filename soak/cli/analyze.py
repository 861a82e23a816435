"""`soak analyze`: judge recorded runs, or any CSV of memory samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from soak.analyse import to_json_object
from soak.cli.sizes import growth_budget
from soak.judgement import judge_run, recorded_settings, worst
from soak.record import read_run
from soak.report.text import render_terminal


def analyze(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Run directories, or CSV files with t_s and rss_bytes.", metavar="RUN…"),
    ],
    max_growth: Annotated[
        str | None,
        typer.Option(
            help="Growth per hour that still counts as a plateau, such as 5MiB. By default what the run was "
            "configured with, else 0.25 % of the level over its length."
        ),
    ] = None,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per run on standard output.")
    ] = False,
) -> None:
    """Judge what has been recorded: a run directory (even one cut short by a kill) or any CSV.

    A CSV needs t_s (seconds) and rss_bytes; connections_completed, open_connections, phase and swap_bytes
    are used where present.

    Several runs are judged in the order given; the exit code is that of the worst.
    """
    console = Console(stderr=as_json)
    codes = []
    for path in paths:
        run = read_run(path)
        settings = recorded_settings(run)
        if max_growth is not None:
            settings = growth_budget(max_growth, settings)
        judgement = judge_run(run, settings)
        codes.append(judgement.exit_code)
        if as_json:
            typer.echo(json.dumps(to_json_object(judgement.verdict, source=str(path))))
        else:
            console.print(render_terminal(run, judgement.verdict))
    raise typer.Exit(worst(codes))

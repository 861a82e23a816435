"""`soak analyze`: judge recorded runs, or any CSV of memory samples; one, or a whole fleet's."""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from soak.cli.options import AsJson, MaxGrowth
from soak.errors import ExitCode, SoakError


def analyze(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="Run directories, or CSV files (also gzipped) with t_s and rss_bytes.", metavar="RUN…"
        ),
    ],
    max_growth: MaxGrowth = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", min=1, help="Processes to judge many runs with.", show_default="all usable cores"
        ),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Judge what has been recorded: a run directory (even one cut short by a kill) or any CSV.

    A CSV needs t_s (seconds) and rss_bytes; connections_completed, open_connections, phase, swap_bytes,
    audio_s, fds, threads, sockets, server_sessions_alive and the counts of transcripts are used where
    present.

    Several runs are judged in the order given, from four on by all cores and with one line for each; --json
    prints one object per run. What cannot be judged is told on standard error (with --json also as an object
    with "verdict": null and "error") and does not stop the others.

    The exit code is that of the worst run, in the order 4, 1, 2 (one could not be judged), 3, 0: a leak
    that was found is never hidden by a file that could not be read.
    """
    from soak.config.sizes import growth_budget
    from soak.studies.fleet import WORTH_A_POOL, fleet_exit_code

    budget = None if max_growth is None else growth_budget(max_growth)
    if len(paths) < WORTH_A_POOL:
        codes = [_judge_one(path, budget, as_json=as_json) for path in paths]
    else:
        codes = _judge_many(paths, budget, jobs, as_json=as_json)
    raise typer.Exit(fleet_exit_code(codes))


def _judge_one(path: Path, budget: float | None, *, as_json: bool) -> ExitCode:
    """Tell all about one run; return its exit code."""
    from soak.report.model import report_model
    from soak.report.terminal import render_terminal
    from soak.studies.fleet import Judged, judge_path

    try:
        run, judgement = judge_path(path, budget)
        judged = Judged(path, judgement)
        if not as_json:
            Console().print(render_terminal(report_model(run, judgement)))
    except SoakError as error:
        judged = Judged(path, error=str(error))
        typer.echo(f"soak: {error}", err=True)
    if as_json:
        typer.echo(json.dumps(judged.to_json_object()))
    return judged.exit_code


def _judge_many(
    paths: list[Path], budget: float | None, jobs: int | None, *, as_json: bool
) -> list[ExitCode]:
    """Tell of each run in one line, as soon as it and those before it are judged; return the exit codes."""
    from soak.cli.fleet_progress import fleet_progress
    from soak.report.fleet_table import fleet_line, header_line, outcome_of, summary_line
    from soak.studies.fleet import judge_fleet

    began_s = time.monotonic()
    codes: list[ExitCode] = []
    outcomes: Counter[str] = Counter()
    with fleet_progress(len(paths)) as progress, closing(judge_fleet(paths, budget, jobs)) as judged:
        if not as_json:
            progress.tell(header_line())
        for outcome in judged:
            judgement = outcome.judgement
            verdict = None if judgement is None else judgement.verdict
            failed = outcome.exit_code is ExitCode.TARGET_FAILED
            if outcome.error is not None:
                progress.complain(f"soak: {outcome.error}")
            if judgement is not None and judgement.transcripts and judgement.transcripts.change_in_words:
                progress.complain(f"soak: {outcome.path}: {judgement.transcripts.change_in_words}")
            if as_json:
                progress.tell(json.dumps(outcome.to_json_object()))
            else:
                progress.tell(fleet_line(outcome.path, verdict, progress.width, failed=failed))
            codes.append(outcome.exit_code)
            outcomes[outcome_of(verdict, failed=failed)] += 1
            progress.advance()
    summary = summary_line(outcomes, time.monotonic() - began_s)
    typer.echo(summary, err=as_json)
    return codes

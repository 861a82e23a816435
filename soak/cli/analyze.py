"""`soak analyze`: judge recorded runs, or anybody's file of memory readings; one, or a whole fleet's."""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soak.cli.options import AsJson, Confidence, Every, MaxGrowth, MemoryColumn, MemoryUnit, Per, TimeColumn
from soak.errors import ExitCode
from soak.terminal import SafeConsole, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.text import Text

    from soak.recordings import Asked
    from soak.studies.fleet import Judged


def analyze(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="Run directories, or files of memory readings that tools and people write.", metavar="RUN…"
        ),
    ],
    max_growth: MaxGrowth = None,
    confidence: Confidence = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", min=1, help="Processes to judge many runs with.", show_default="all usable cores"
        ),
    ] = None,
    *,
    time_column: TimeColumn = None,
    memory_column: MemoryColumn = None,
    unit: MemoryUnit = None,
    every: Every = None,
    per: Per = None,
    as_json: AsJson = False,
) -> None:
    """Judge what has been recorded: a run directory (even one cut short by a kill) or any file of memory.

    What a file is, is seen in it: psrecord, mprof, pidstat, top, ps, docker stats, kubectl top, smem, free,
    sar, Prometheus, OpenMetrics, Grafana, memory_profiler, logs, Markdown tables, CSV, bare numbers. How it
    was read is said in a line. Of a file with several series each is judged.

    Several runs are judged in the order given, from four on by all cores and with one line for each; --json
    prints one object per run. What cannot be judged is told on standard error (with --json also as an object
    with "verdict": null and "error") and does not stop the others.

    The exit code is that of the worst run, in the order 4, 1, 2 (one could not be judged), 3, 0: a leak
    that was found is never hidden by a file that could not be read.
    """
    from soak.cli.recordings import asked_of
    from soak.config.judge_options import judge_asked
    from soak.studies.fleet import WORTH_A_POOL, fleet_exit_code

    judge = judge_asked(max_growth, confidence)
    asked = asked_of(time_column, memory_column, unit, every, per)
    if len(paths) < WORTH_A_POOL:
        codes = [code for path in paths for code in _judge_one(path, judge, asked, as_json=as_json)]
    else:
        codes = _judge_many(paths, judge, jobs, asked, as_json=as_json)
    raise typer.Exit(fleet_exit_code(codes))


def _judge_one(path: Path, judge: Mapping[str, float], asked: Asked, *, as_json: bool) -> list[ExitCode]:
    """Tell all about one file, of several series a line each; return the exit codes."""
    from soak.errors import SoakError
    from soak.report.model import report_model
    from soak.report.terminal import render_terminal
    from soak.studies.fleet import Judged, judge_path

    try:
        judged = judge_path(path, judge, asked)
    except SoakError as error:
        say(f"soak: {error}", err=True)
        unread = Judged(path, error=str(error))
        if as_json:
            typer.echo(json.dumps(unread.to_json_object()))
        return [unread.exit_code]
    outcomes = [Judged(path, judgement) for _, judgement in judged]
    if as_json:
        for outcome in outcomes:
            typer.echo(json.dumps(outcome.to_json_object()))
    elif len(judged) == 1:
        SafeConsole().print(render_terminal(report_model(*judged[0])))
    else:
        _tell_series(outcomes)
    return [outcome.exit_code for outcome in outcomes]


def _tell_series(outcomes: list[Judged]) -> None:
    """Tell of each series of one file in a line, and how the file was read."""
    from soak.report.fleet_table import header_line

    console = SafeConsole()
    console.print(header_line())
    for outcome in outcomes:
        console.print(_line(outcome, console.width))
    for outcome in outcomes:
        if outcome.judgement is not None and outcome.judgement.origin is not None:
            say(f"{outcome.name}: read as {outcome.judgement.origin.read_as}", err=True)
            for warning in outcome.judgement.origin.warnings:
                say(f"soak: {outcome.name}: {warning}", err=True)


def _line(outcome: Judged, width: int | None) -> Text:
    from soak.report.fleet_table import fleet_line

    judgement = outcome.judgement
    return fleet_line(
        outcome.name,
        None if judgement is None else judgement.verdict,
        width,
        failed=outcome.exit_code is ExitCode.TARGET_FAILED,
        step=None if judgement is None or judgement.origin is None else judgement.origin.step,
    )


def _judge_many(
    paths: list[Path], judge: Mapping[str, float], jobs: int | None, asked: Asked, *, as_json: bool
) -> list[ExitCode]:
    """Tell of each run in one line, as soon as it and those before it are judged; return the exit codes."""
    from soak.cli.fleet_progress import fleet_progress
    from soak.report.fleet_table import header_line, outcome_of, summary_line
    from soak.studies.fleet import judge_fleet

    began_s = time.monotonic()
    codes: list[ExitCode] = []
    outcomes: Counter[str] = Counter()
    with fleet_progress(len(paths)) as progress, closing(judge_fleet(paths, judge, jobs, asked)) as judged:
        if not as_json:
            progress.tell(header_line())
        for outcome in judged:
            judgement = outcome.judgement
            verdict = None if judgement is None else judgement.verdict
            failed = outcome.exit_code is ExitCode.TARGET_FAILED
            if outcome.error is not None:
                progress.complain(f"soak: {outcome.error}")
            for line in _complaints(outcome):
                progress.complain(f"soak: {outcome.name}: {line}")
            if as_json:
                progress.tell(json.dumps(outcome.to_json_object()))
            else:
                progress.tell(_line(outcome, progress.width))
            codes.append(outcome.exit_code)
            outcomes[outcome_of(verdict, failed=failed)] += 1
            progress.advance()
    summary = summary_line(outcomes, time.monotonic() - began_s)
    say(summary, err=as_json)
    return codes


def _complaints(outcome: Judged) -> list[str]:
    """Return what must be known of a run beside its verdict: changed transcripts, how a file was read."""
    judgement = outcome.judgement
    if judgement is None:
        return []
    told = []
    if judgement.transcripts and judgement.transcripts.change_in_words:
        told.append(judgement.transcripts.change_in_words)
    if judgement.origin is not None:
        told += [f"read as {judgement.origin.read_as}"] if judgement.origin.read_as else []
        told += judgement.origin.warnings
    return told

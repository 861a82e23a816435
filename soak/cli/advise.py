"""`soak advise`: what follows from a run: limits, threads, restarts, capacity, alerts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.padding import Padding

from soak.cli.options import AsJson, Every, MemoryColumn, MemoryUnit, Per, TimeColumn
from soak.errors import SoakError
from soak.terminal import SafeConsole


def advise(
    run: Annotated[Path, typer.Argument(help="A run directory, or a file that soak analyze reads.")],
    *,
    limit: Annotated[
        str | None, typer.Option(help="Your memory limit, such as 2GiB: says how long it lasts.")
    ] = None,
    prometheus: Annotated[
        Path | None, typer.Option(help="Write alert rules for Prometheus to this file.")
    ] = None,
    time_column: TimeColumn = None,
    memory_column: MemoryColumn = None,
    unit: MemoryUnit = None,
    every: Every = None,
    per: Per = None,
    as_json: AsJson = False,
) -> None:
    """Say what follows from a run: memory limit, threads, restarts, capacity, alerts.

    Everything is computed from what the run measured, and says from what. The
    rules warn of memory near its limit, of a trend above what the run accepted,
    of out-of-memory kills and of sessions that are not freed, by this server's own
    metrics and by cAdvisor's; put your labels in place of job="asr" and
    container="asr".
    """
    from soak.advice.prometheus_rules import prometheus_rules
    from soak.cli.recordings import asked_of
    from soak.config.sizes import size_bytes
    from soak.judging import judge_run
    from soak.private_file import replace_text
    from soak.recordings import read_run_of
    from soak.report.advice_terminal import render_advice
    from soak.report.model import report_model

    recorded = read_run_of(run, asked_of(time_column, memory_column, unit, every, per))
    limit_bytes = None if limit is None else size_bytes("--limit", limit)
    judgement = judge_run(recorded, limit_bytes=limit_bytes)
    if prometheus is not None:
        try:
            rules = prometheus_rules(judgement.verdict)
        except ValueError as error:
            raise SoakError(f"{run}: {error}") from None
        replace_text(prometheus, rules)
    console = SafeConsole(stderr=as_json)
    console.print(render_advice(report_model(recorded, judgement)))
    if prometheus is not None:
        console.print(Padding(f"Alert rules: {prometheus}", (1, 0, 0, 0)), highlight=False, soft_wrap=True)
    if as_json:
        typer.echo(json.dumps(judgement.verdict.advice))

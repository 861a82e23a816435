"""`soak advise`: what follows from a run: limits, threads, restarts, capacity, alerts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from soak.cli.options import AsJson
from soak.errors import SoakError


def advise(
    run: Annotated[Path, typer.Argument(help="A run directory, or a CSV of memory readings.")],
    *,
    limit: Annotated[
        str | None, typer.Option(help="The memory limit you have, such as 2GiB: how long does it last?")
    ] = None,
    prometheus: Annotated[
        Path | None, typer.Option(help="Write alert rules for Prometheus to this file.")
    ] = None,
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
    from soak.config.sizes import size_bytes
    from soak.judgement import judge_run
    from soak.record import read_run
    from soak.record.directory import explained
    from soak.report.facts import capacity, limit_lines
    from soak.report.plain_table import plain_table
    from soak.report.wording import banner

    recorded = read_run(run)
    verdict = judge_run(recorded, limit_bytes=None if limit is None else size_bytes("--limit", limit)).verdict
    if prometheus is not None:
        try:
            rules = prometheus_rules(verdict)
        except ValueError as error:
            raise SoakError(f"{run}: {error}") from None
        with explained(prometheus):
            prometheus.write_text(rules, encoding="utf-8")
    console = Console(stderr=as_json)
    found = banner(recorded, verdict)
    console.print(f"{found.sign} {found.headline}", style="bold", markup=False, highlight=False)
    console.print()
    for note in verdict.advice["notes"]:
        source = note["source"].split(", http")[0]
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=1)
        grid.add_column(overflow="fold")
        grid.add_row("·", f"{note['text']} [dim]({source})[/dim]")
        console.print(grid, highlight=False)
    lines = limit_lines(verdict)
    if lines:
        console.print()
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        for line in lines:
            table.add_row(line.label, line.value)
        console.print(table)
    rows = capacity(verdict)
    if rows:
        console.print()
        table = plain_table()
        table.add_column("open at once", justify="right")
        table.add_column("memory", justify="right")
        table.add_column("from")
        for row in rows:
            table.add_row(row.open_connections, row.memory, row.basis)
        console.print(table)
    if prometheus is not None:
        console.print(Padding(f"Alert rules: {prometheus}", (1, 0, 0, 0)), highlight=False, soft_wrap=True)
    if as_json:
        typer.echo(json.dumps(verdict.advice))

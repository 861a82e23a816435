"""`soak verify-limit`: does the advised memory limit hold, and is it not far too large?"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from soak.cli.model_building import ensure_model
from soak.cli.options import DEFAULT_OUT, AsJson, Config, Connections, Minutes, Model, Out, Settings
from soak.config import Length, SoakConfig, load_config, overrides_of
from soak.config.length import SETTINGS as LENGTH_SETTINGS
from soak.config.sizes import size_bytes
from soak.errors import ExitCode, SoakError
from soak.judgement import judge_run
from soak.quantity import format_level
from soak.record import read_run
from soak.record.directory import explained
from soak.studies.limit.result import (
    JSON_NAME,
    READ,
    limit_exit_code,
    limit_in_words,
    limit_table,
    write_limit_reports,
)
from soak.studies.limit.verify import (
    TOO_LITTLE,
    Fate,
    Interrupted,
    LimitedRun,
    judged_against,
    needed_bytes,
    run_limited,
    run_unlimited,
)
from soak.targets import Capability, capabilities_of

DEFAULT_CONNECTIONS = 200


def verify_limit(
    run: Annotated[
        Path | None,
        typer.Argument(
            help="A recorded run: its configuration is run again, with the limit advised from it."
        ),
    ] = None,
    *,
    config: Config[str | None] = None,
    limit: Annotated[
        str | None,
        typer.Option(help="The limit to verify, such as 1GiB.", show_default="the lower advised one"),
    ] = None,
    model: Model = None,
    minutes: Minutes = None,
    connections: Connections = None,
    settings: Settings = None,
    out: Out = DEFAULT_OUT,
    as_json: AsJson = False,
) -> None:
    """Run the load in a memory cgroup with the advised limit, and with too little, and see what happens.

    Takes the configuration of a recorded run, or --config. Makes three runs of the
    bundled server, each of 200 connections unless told otherwise and all at the
    same rate of arrivals: without a limit,
    with the advised one (20 % above the peak), and with 20 % less than the first
    took at most, by its RSS or by the charge of its cgroup, whichever is less.
    Where it seems slower with the limit, one more without tells whether it was the
    machine that slowed down.
    Only the server is limited, and it may not swap. Needs a memory cgroup that
    may be written to (version 2 or 1): root, or a delegated scope.

    Exit codes: 0 the limit holds, 1 the server was killed, failed or slowed down
    with it, 2 usage or no cgroup that may be written to, 3 it cannot be told whether
    it slows down, 4 the server failed without a limit, 130 interrupted.
    """
    if (run is None) == (config is None):
        raise SoakError("give the directory of a recorded run, or --config")
    length = Length.asked(minutes=minutes, connections=connections)
    overrides = overrides_of(
        length if length.has_an_end else Length(connections=DEFAULT_CONNECTIONS), model=model
    )
    chosen = None if limit is None else size_bytes("--limit", limit)
    if run is None:
        plan = load_config(str(config), settings or (), overrides)
    else:
        plan, advised = _recorded(run, overrides, settings or [])
        chosen = chosen or advised
    console = Console(stderr=as_json)
    ensure_model(plan.server.model, Console(stderr=True))
    folder = out / f"{datetime.now(UTC).strftime('%Y%m%dT%H%M%SZ')}-verify-limit"
    with explained(out):
        folder.mkdir(parents=True)
    try:
        runs = _three_runs(plan, chosen, folder, console)
    except Interrupted:
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    page = write_limit_reports(folder, runs)
    console.print()
    console.print(limit_table(runs))
    console.print(READ, style="dim", highlight=False)
    console.print()
    console.print(limit_in_words(runs), style="bold", highlight=False)
    console.print(f"Report: {page}", soft_wrap=True, highlight=False)
    if as_json:
        typer.echo(json.dumps(json.loads((folder / JSON_NAME).read_text(encoding="utf-8"))))
    raise typer.Exit(limit_exit_code(runs))


def _recorded(run: Path, overrides: dict[str, dict[str, Any]], settings: list[str]) -> tuple[SoakConfig, int]:
    """Return the configuration of a recorded run of the bundled server, and the limit advised from it."""
    recorded = read_run(run)
    found = recorded.manifest.get("configuration", {})
    if Capability.REFERENCE not in capabilities_of(recorded.manifest.get("target", {})):
        raise SoakError(f"{run} is no run of the bundled server: give --config and --limit instead")
    limits = judge_run(recorded).verdict.advice["memory_limit_bytes"]
    if not limits:
        raise SoakError(f"{run} has no memory readings to advise a limit from: give --config and --limit")
    server = {**found.get("server", {}), **overrides["server"]}
    load = {name: value for name, value in found.get("load", {}).items() if name not in LENGTH_SETTINGS}
    laid_over = {"server": server, "load": {**load, **overrides["load"]}}
    return load_config("minimal", settings, laid_over), limits[0]


def _three_runs(plan: SoakConfig, limit: int | None, folder: Path, console: Console) -> list[LimitedRun]:
    console.print("[1/3] without a limit", highlight=False, markup=False)
    first, recorded = run_unlimited(plan, folder, console)
    advised = limit or judge_run(recorded).verdict.advice["memory_limit_bytes"][0]
    console.print(f"[2/3] with the advised {format_level(advised)}", highlight=False, markup=False)
    second = run_limited(plan, "advised", advised, recorded, folder, console)
    runs = [first, second]
    if second.fate in {Fate.SLOWER, Fate.NOT_TOLD}:
        console.print("once more without a limit: was it the limit, or the machine?", highlight=False)
        again = run_limited(plan, "again", None, recorded, folder, console)
        if again.run is not None:
            runs = [first, judged_against(second, read_run(folder / again.run), folder), again]
    low = int(TOO_LITTLE * needed_bytes(first, recorded))
    console.print(f"[3/3] with {format_level(low)}", highlight=False, markup=False)
    return [*runs, run_limited(plan, "too-little", low, recorded, folder, console)]

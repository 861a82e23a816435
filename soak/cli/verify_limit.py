"""`soak verify-limit`: does the advised memory limit hold, and is it not far too large?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from soak.cli.options import DEFAULT_OUT, AsJson, Config, Connections, Minutes, Model, Out, Resume, Settings
from soak.errors import ExitCode, SoakError
from soak.terminal import SafeConsole

if TYPE_CHECKING:
    from soak.studies.limit.limited_run import LimitedRun
    from soak.studies.limit.study import LimitPlan

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
    resume: Resume = None,
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
    it slows down, 4 the server failed without a limit, 130 interrupted (go on with
    --resume).
    """
    from soak.cli.model_building import ensure_model
    from soak.config import Length, overrides_of
    from soak.config.sizes import size_bytes
    from soak.studies.conduct import Interrupted, conduct, tell_how_to_go_on
    from soak.studies.limit.result import (
        JSON_NAME,
        READ,
        limit_exit_code,
        limit_in_words,
        limit_table,
        write_limit_markdown,
    )
    from soak.studies.limit.study import LimitStudy

    done: list[LimitedRun] = []
    if resume is not None:
        study, done = LimitStudy.read(resume)
        ensure_model(study.plan.load_config().server.model, SafeConsole(stderr=True))
    else:
        length = Length.asked(minutes=minutes, connections=connections)
        overrides = overrides_of(
            length if length.has_an_end else Length(connections=DEFAULT_CONNECTIONS), model=model
        )
        chosen = None if limit is None else size_bytes("--limit", limit)
        study = LimitStudy.begin(_plan(run, config, settings or [], overrides, chosen), out)
    console = SafeConsole(stderr=as_json)
    try:
        for made in conduct(study, list(done), study.folder, console):
            done.append(made)
    except Interrupted:
        tell_how_to_go_on(console, "verify-limit", study.folder)
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    runs = study.compared(done)
    page = write_limit_markdown(study.folder, runs)
    console.print()
    console.print(limit_table(runs))
    console.print(READ, style="dim", highlight=False)
    console.print()
    console.print(limit_in_words(runs), style="bold", highlight=False)
    console.print(f"Report: {page}", soft_wrap=True, highlight=False)
    if as_json:
        typer.echo(json.dumps(json.loads((study.folder / JSON_NAME).read_text(encoding="utf-8"))))
    raise typer.Exit(limit_exit_code(runs))


def _plan(
    run: Path | None,
    config: str | None,
    settings: list[str],
    overrides: dict[str, dict[str, Any]],
    limit_bytes: int | None,
) -> LimitPlan:
    """Return what the options ask for, once the model is there."""
    from soak.cli.model_building import ensure_model
    from soak.studies.limit.study import LimitPlan

    if run is not None and config is None:
        plan = LimitPlan.of_recorded(run, settings, overrides, limit_bytes)
    elif run is None and config is not None:
        plan = LimitPlan(config, tuple(settings), overrides, limit_bytes)
    else:
        raise SoakError("give the directory of a recorded run, or --config")
    ensure_model(plan.load_config().server.model, SafeConsole(stderr=True))
    return plan

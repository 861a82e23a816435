"""`soak profile`: which code keeps the memory that grows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated

import typer

from soak.cli.options import (
    DEFAULT_OUT,
    UNVERIFIED,
    AsJson,
    Command,
    Config,
    Connections,
    Minutes,
    Model,
    NoVerifyTls,
    Out,
    Settings,
    Url,
)
from soak.errors import ExitCode, SoakError
from soak.terminal import SafeConsole


def profile(
    *,
    config: Config[str | None] = None,
    command: Command = None,
    url: Url = None,
    no_verify_tls: NoVerifyTls = False,
    allocator: Annotated[
        str,
        typer.Option(
            metavar="auto|memray|jemalloc",
            help="memray for Python servers, jemalloc for native ones; auto goes by the command.",
        ),
    ] = "auto",
    native: Annotated[
        bool,
        typer.Option("--native", help="Under memray: also the C and C++ calls; costs CPU time and disk."),
    ] = False,
    sample: Annotated[
        str,
        typer.Option(
            help="Under jemalloc: one sample in so many bytes; fewer see smaller leaks, and cost more."
        ),
    ] = "32KiB",
    profile_every: Annotated[
        str,
        typer.Option(
            help="Under jemalloc: a heap profile whenever so much was allocated. The nearest before the end "
            "of each quiet window is kept."
        ),
    ] = "32MiB",
    model: Model = None,
    minutes: Minutes = None,
    connections: Connections = None,
    settings: Settings = None,
    out: Out = DEFAULT_OUT,
    as_json: AsJson = False,
) -> None:
    """Run the load under a sampling allocator and name the code that keeps the memory that grows.

    A run of its own, so that the verdict's run stays on the allocator that people
    use. At the end of every quiet window it is known what every allocation stack
    holds; the stacks whose bytes in use climb are the culprits: bytes per
    connection, function, file and line, and how one gets there. Python servers
    run under memray, which records every allocation; native ones on jemalloc
    (Debian: libjemalloc2), which samples them. Compile with -g for lines.

    What it leaves in the run's directory: profile.json, profile.html (a flame graph
    of the growth), profile.md (to paste into an issue), and in profile/ the growth
    for pprof (growth.pb.gz) and the profiler's own files (for jeprof or memray).

    The bundled server with a leak:   soak profile --set 'server.inject=["session:64KiB"]'

    Your own, native:   soak profile --command './server --port {port}'

    Your own, Python:   soak profile --command 'python server.py --port {port}'

    Needs: pip install 'soak\\[profile]'

    Exit codes: 0 the heap in use is flat, 1 it climbs, 2 usage or something is not installed, 3 undecided,
    4 the server failed, 130 interrupted.
    """
    from soak.cli.model_building import ensure_model
    from soak.config import Length, load_config, overrides_of
    from soak.config.sizes import size_bytes
    from soak.studies.conduct import Interrupted, conduct
    from soak.studies.profile.again import command_line
    from soak.studies.profile.choice import Allocator, profiler_for
    from soak.studies.profile.exit_code import profile_exit_code
    from soak.studies.profile.rhythm import DEFAULT_CONNECTIONS, profiled_load, rhythm_for
    from soak.studies.profile.study import ProfileStudy
    from soak.studies.profile.table import tell_profile
    from soak.studies.profile.target import Profiled
    from soak.targets import target_asked

    if allocator not in set(Allocator):
        raise SoakError(f"--allocator {allocator}: give {', '.join(Allocator)}")
    if command is None and url is not None:
        raise SoakError("--url goes with --command: a profile is taken of a server that soak starts")
    target = target_asked(url, None, command)
    profiler = profiler_for(
        target,
        Allocator(allocator),
        native=native,
        sample_bytes=size_bytes("--sample", sample),
        interval_bytes=size_bytes("--profile-every", profile_every),
    )
    length = Length.asked(minutes=minutes, connections=connections)
    asked = [*(settings or ()), *(UNVERIFIED if no_verify_tls else ())]
    name = config or target.default_config
    whole = load_config(
        name,
        (*rhythm_for(name, target), *asked),
        overrides_of(length, model=model),
    )
    if minutes is None:
        whole = replace(whole, load=profiled_load(whole.load, connections or DEFAULT_CONNECTIONS))
    console = SafeConsole(stderr=as_json)
    study = ProfileStudy(whole, Profiled(target, profiler), command_line(), console)
    if target.is_reference:
        ensure_model(whole.server.model, SafeConsole(stderr=True))
    try:
        (result,) = conduct(study, (), out, console)
    except Interrupted:
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    tell_profile(result, out / result.run, console)
    if as_json:
        typer.echo(json.dumps(result.to_json_object()))
    raise typer.Exit(profile_exit_code(result))

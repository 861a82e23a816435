"""`soak check`: a soak, judged for continuous integration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soak.cli.options import (
    BASELINE,
    DEFAULT_OUT,
    LIMITS,
    OUTPUT,
    THE_RUN,
    UNVERIFIED,
    AllowUnlike,
    AsJson,
    Command,
    Confidence,
    Config,
    Connections,
    MaxGrowth,
    Minutes,
    Model,
    NoVerifyTls,
    Out,
    Pid,
    ProfileIfClimbing,
    Settings,
    Tolerance,
    Url,
)
from soak.errors import SoakError
from soak.studies.compare import DEFAULT_TOLERANCE
from soak.terminal import SafeConsole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from soak.config import Length
    from soak.studies.conduct import MadeRun, PlannedRun
    from soak.studies.profile.study import ProfileStudy
    from soak.targets import Target

DEFAULT_MAX_MINUTES = 10.0


def check(
    run: Annotated[
        Path | None,
        typer.Argument(help="A recorded run to judge; without it one is made.", show_default="make a run"),
    ] = None,
    *,
    config: Config[str | None] = None,
    model: Model = None,
    max_minutes: Annotated[
        float | None,
        typer.Option(
            help="Go on until it is decided, but for no more than so many minutes.",
            show_default=f"{DEFAULT_MAX_MINUTES:g}",
            rich_help_panel=THE_RUN,
        ),
    ] = None,
    minutes: Minutes = None,
    connections: Connections = None,
    url: Url = None,
    pid: Pid = None,
    command: Command = None,
    no_verify_tls: NoVerifyTls = False,
    settings: Settings = None,
    profile_if_climbing: ProfileIfClimbing = False,
    out: Out = DEFAULT_OUT,
    max_rss: Annotated[
        str | None, typer.Option(help="Most memory, such as 2GiB.", rich_help_panel=LIMITS)
    ] = None,
    max_growth: MaxGrowth = None,
    confidence: Confidence = None,
    max_per_connection: Annotated[
        str | None,
        typer.Option(help="Most growth per connection after warm-up, such as 4KiB.", rich_help_panel=LIMITS),
    ] = None,
    max_fds: Annotated[
        int | None, typer.Option(min=1, help="Most open file descriptors.", rich_help_panel=LIMITS)
    ] = None,
    max_latency_p99: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Longest wait for the final result after the end of the audio, in ms (99th percentile).",
            rich_help_panel=LIMITS,
        ),
    ] = None,
    max_cer: Annotated[
        float | None,
        typer.Option(min=0, help="Highest character error rate, such as 0.05.", rich_help_panel=LIMITS),
    ] = None,
    max_failures: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Largest share of connections that may fail.", rich_help_panel=LIMITS
        ),
    ] = 0.01,
    baseline: Annotated[
        Path | None,
        typer.Option(help="Compare with this file of 'soak baseline save'.", rich_help_panel=BASELINE),
    ] = None,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    allow_unlike: AllowUnlike = False,
    allow_inconclusive: Annotated[
        bool,
        typer.Option(
            "--allow-inconclusive", help="Pass a run that could not be decided.", rich_help_panel=LIMITS
        ),
    ] = False,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.", rich_help_panel=OUTPUT)] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write the Markdown summary here.", rich_help_panel=OUTPUT)
    ] = None,
    metrics: Annotated[
        Path | None,
        typer.Option(
            help="Write OpenMetrics text here, for GitLab's metrics report.", rich_help_panel=OUTPUT
        ),
    ] = None,
    archive: Annotated[
        Path | None, typer.Option(help="Zip the run directory here, to attach.", rich_help_panel=OUTPUT)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """For CI: run until decided (or take a run), judge by limits and a baseline, write what CI reads.

    Fails (exit code 1) on memory or another resource that climbs, on a limit that
    is exceeded, and on more memory than the baseline. A run goes on until it is
    decided, for ten minutes unless told otherwise; what is undecided then fails
    with exit code 3, unless --allow-inconclusive. With --minutes or --connections
    it is exactly so long, decided or not: best for a baseline. Without --config it
    runs minimal, with --url or --command attached. The bundled configurations are
    run in a quicker rhythm than by soak run: shorter blocks and quiet windows.

    On GitHub it adds to the job's summary and annotates the workflow by itself.

    Stop a pull request that leaks:   soak check --junit soak.xml

    Or that needs more memory:   soak check --baseline baseline.json

    Your own server:   soak check --url ws://127.0.0.1:10095 --pid 4711

    A run you have:   soak check reports/20261122T214525Z-minimal --max-rss 1GiB
    """
    from soak.config.judge_options import judge_asked
    from soak.config.sizes import size_bytes
    from soak.report.terminal import render_terminal
    from soak.run.telling import tell
    from soak.studies.check.against_baseline import Baseline
    from soak.studies.check.limits import Limits
    from soak.studies.check.outputs import Outputs
    from soak.studies.check.result import Criteria, check_made, check_recorded
    from soak.studies.check.table import findings_table
    from soak.studies.compare.baseline import read_baseline
    from soak.studies.conduct import NotStarted, make_run
    from soak.studies.profile.again import study_of
    from soak.targets import target_asked

    asked = judge_asked(max_growth, confidence)
    limits = Limits(
        max_rss_bytes=None if max_rss is None else size_bytes("--max-rss", max_rss),
        max_growth_bytes_per_hour=asked.get("max_growth_bytes_per_hour"),
        max_bytes_per_connection=None
        if max_per_connection is None
        else size_bytes("--max-per-connection", max_per_connection),
        max_fds=max_fds,
        max_latency_p99_ms=max_latency_p99,
        max_cer=max_cer,
        max_failed_share=max_failures,
    )
    outputs = Outputs(junit, markdown, metrics, archive)
    against = None
    if baseline is not None:
        against = Baseline(
            side=read_baseline(baseline), name=baseline.name, tolerance=tolerance, allow_unlike=allow_unlike
        )
    criteria = Criteria(limits, against, allow_inconclusive)
    console = SafeConsole(stderr=as_json)
    if run is None:
        length = _length(max_minutes, minutes, connections)
        settings = [*(settings or ()), *(UNVERIFIED if no_verify_tls else ())]
        planned = _planned(config, model, target_asked(url, pid, command), settings, length, asked)
        profile = study_of(planned.config, planned.target, console) if profile_if_climbing else None
        made = make_run(planned, out, console)
        if isinstance(made, NotStarted):
            outputs.write_failed_start(str(made.error))
            raise made.error
        tell(made.result, console)
        if profile is not None:
            _profile(made, profile, out, console)
        result = check_made(made, criteria)
    else:
        given = (config, model, max_minutes, minutes, connections, url, pid, command, settings)
        if profile_if_climbing or no_verify_tls or any(value is not None for value in given):
            raise SoakError(
                f"{run} is recorded already: leave out --config, --minutes and what else says how to run"
            )
        result = check_recorded(run, criteria, asked)
        console.print(render_terminal(result.report))
    outputs.write(result)
    console.print()
    console.print(findings_table(result))
    console.print(result.headline, style="bold", highlight=False, markup=False)
    if as_json:
        typer.echo(json.dumps(result.to_json_object()))
    raise typer.Exit(result.exit_code)


def _profile(made: MadeRun, study: ProfileStudy, out: Path, console: Console) -> None:
    """Name the code where memory climbs; that nobody can be named must not cost the check its verdict."""
    from soak.studies.conduct import Interrupted
    from soak.studies.profile.again import profile_if_climbing
    from soak.studies.profile.table import tell_profile

    try:
        result = profile_if_climbing(made, study, out, console)
    except (SoakError, Interrupted) as error:
        console.print(f"! no profile: {error}", style="yellow", markup=False, highlight=False)
        return
    if result is not None:
        tell_profile(result, out / result.run, console)


def _length(max_minutes: float | None, minutes: float | None, connections: int | None) -> Length:
    from soak.config import Length

    if minutes is None and connections is None:
        most = DEFAULT_MAX_MINUTES if max_minutes is None else max_minutes
        return Length.asked(max_minutes=most, until_decided=True)
    if max_minutes is not None:
        raise SoakError("give --max-minutes or a fixed length (--minutes, --connections), not both")
    return Length.asked(minutes=minutes, connections=connections)


def _planned(
    config: str | None,
    model: str | None,
    target: Target,
    settings: list[str],
    length: Length,
    asked: Mapping[str, float],
) -> PlannedRun:
    """Return the run that the options ask for, once the model is there."""
    from soak.cli.model_building import ensure_model
    from soak.config import load_config, overrides_of
    from soak.studies.check.rhythm import rhythm_for
    from soak.studies.conduct import PlannedRun

    name = config or target.default_config
    overrides = overrides_of(length, model=model, judge=asked)
    rhythm = rhythm_for(name, bundled=target.is_reference)
    whole = load_config(name, (*rhythm, *settings), overrides)
    if target.is_reference:
        ensure_model(whole.server.model, SafeConsole(stderr=True))
    return PlannedRun(whole, "a check", target=target)

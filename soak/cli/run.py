"""`soak run`: load a server, sample it, judge it, report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soak.cli.options import (
    DEFAULT_OUT,
    THE_RUN,
    UNVERIFIED,
    AsJson,
    Command,
    Confidence,
    Connections,
    MaxGrowth,
    Minutes,
    Model,
    NoVerifyTls,
    Out,
    Pid,
    ProfileIfClimbing,
    Settings,
    Url,
)
from soak.errors import ExitCode
from soak.terminal import SafeConsole

if TYPE_CHECKING:
    from rich.console import Console

    from soak.config import SoakConfig
    from soak.studies.conduct import MadeRun
    from soak.studies.profile.study import ProfileStudy
    from soak.targets import Target


def run(
    config: Annotated[
        list[str] | None,
        typer.Option(
            "--config",
            "-c",
            help="minimal, medium, high (1/1/1, 32/2/1, 32/8/4 decoder/io/model threads) or a TOML file. "
            "Repeat it to run several and compare them.",
            show_default="minimal; attached with --url or --command",
            rich_help_panel=THE_RUN,
        ),
    ] = None,
    hours: Annotated[
        float | None, typer.Option(help="Run for so many hours.", rich_help_panel=THE_RUN)
    ] = None,
    minutes: Minutes = None,
    connections: Connections = None,
    *,
    until_decided: Annotated[
        bool,
        typer.Option(
            "--until-decided",
            help="Stop as soon as plateau or climbing stands, after the block in progress and its quiet "
            "window; a length is then the most that it may take. Looks in a row must agree. A plateau that "
            "is found early excludes only faster leaks than the longest run would: give --max-growth to say "
            "what growth matters. Undecided at the end: exit code 3.",
            rich_help_panel=THE_RUN,
        ),
    ] = False,
    max_minutes: Annotated[
        float | None,
        typer.Option(
            help="With --until-decided: run for at most so many minutes.",
            show_default="--hours, --minutes, --connections or the configuration's length; else 60",
            rich_help_panel=THE_RUN,
        ),
    ] = None,
    model: Model = None,
    url: Url = None,
    pid: Pid = None,
    command: Command = None,
    no_verify_tls: NoVerifyTls = False,
    max_growth: MaxGrowth = None,
    confidence: Confidence = None,
    probe: Annotated[
        str | None,
        typer.Option(
            metavar="auto|none|server",
            help="How memory is asked back after the load: server (by its /debug pages), or none.",
            show_default="auto: server for the bundled one, none for others",
            rich_help_panel=THE_RUN,
        ),
    ] = None,
    settings: Settings = None,
    profile_if_climbing: ProfileIfClimbing = False,
    out: Out = DEFAULT_OUT,
    as_json: AsJson = False,
) -> None:
    """Load a server with connections and say whether its memory plateaus or climbs.

    Without --url or --command the bundled Paraformer server is started and stopped again.

    A quick look (about three minutes):   soak run

    As long as it takes, an hour at most:   soak run --until-decided --max-minutes 60

    A day:   soak run --config high --model large --hours 24

    Your own server:   soak run --url ws://127.0.0.1:10095 --pid 4711 --hours 1

    Or let it be started:   soak run --command "my-server --port {port}"

    And which code is it?   soak run --command "my-server --port {port}" --profile-if-climbing
    """
    from soak.cli.model_building import ensure_model
    from soak.config import Length, load_config, overrides_of
    from soak.config.judge_options import judge_asked
    from soak.judging import worst
    from soak.studies.conduct import Interrupted, conduct
    from soak.studies.configurations import Configurations
    from soak.targets import target_asked

    target = target_asked(url, pid, command)
    overrides = overrides_of(
        Length.asked(
            hours=hours,
            minutes=minutes,
            connections=connections,
            max_minutes=max_minutes,
            until_decided=until_decided,
        ),
        model=model,
        probe=probe,
        judge=judge_asked(max_growth, confidence),
    )
    asked = [*(settings or ()), *(UNVERIFIED if no_verify_tls else ())]
    names = config or [target.default_config]
    configs = [load_config(name, asked, overrides) for name in names]
    console = SafeConsole(stderr=as_json)
    if target.is_reference:
        for name in {each.server.model for each in configs}:
            ensure_model(name, SafeConsole(stderr=True))
    profiles = _profiles(configs, target, console) if profile_if_climbing else None
    made: list[MadeRun] = []
    try:
        for result in conduct(Configurations(configs, target), (), out, console):
            made.append(result)
            _tell(result, console, as_json=as_json)
        if profiles is not None:
            for result, study in zip(made, profiles, strict=True):
                _profile(result, study, out, console)
    except Interrupted as stop:
        if stop.made is None or len(made) == len(configs):
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        made.append(stop.made)
        _tell(stop.made, console, as_json=as_json)
    if len(made) > 1:
        _compare(made, out, console)
    raise typer.Exit(worst([each.exit_code for each in made]))


def _tell(made: MadeRun, console: Console, *, as_json: bool) -> None:
    from soak.run.telling import tell

    tell(made.result, console)
    if as_json:
        typer.echo(json.dumps(made.judgement.to_json_object(source=str(made.run.path))))


def _profiles(configs: list[SoakConfig], target: Target, console: Console) -> list[ProfileStudy]:
    from soak.studies.profile.again import study_of

    return [study_of(each, target, console) for each in configs]


def _profile(made: MadeRun, study: ProfileStudy, out: Path, console: Console) -> None:
    from soak.studies.profile.again import profile_if_climbing
    from soak.studies.profile.table import tell_profile

    result = profile_if_climbing(made, study, out, console)
    if result is not None:
        tell_profile(result, out / result.run, console)


def _compare(runs: list[MadeRun], out: Path, console: Console) -> None:
    from soak.report.comparison_table import comparison_table
    from soak.report.model.comparison import comparison
    from soak.studies.configurations import write_side_by_side

    compared = comparison([made.result.report for made in runs])
    page = write_side_by_side(compared, out)
    console.print(comparison_table(compared))
    for note in compared.transcript_notes:
        console.print(f"! {note.text}" if note.is_warning else note.text, markup=False, highlight=False)
    console.print(f"Comparison: {page}", soft_wrap=True)

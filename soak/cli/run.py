"""`soak run`: load a server, sample it, judge it, report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from soak.cli.model_building import ensure_model
from soak.cli.sizes import growth_budget_bytes
from soak.config import load_config
from soak.errors import ExitCode, SoakError
from soak.judgement import worst
from soak.report.comparison import comparison_rows, comparison_table
from soak.report.comparison_files import write_comparison
from soak.report.text import render_terminal
from soak.report.transcript_comparison import transcript_notes
from soak.run.session import Attachment, SoakResult, run_soak

DEFAULT_CONFIG = "minimal"
DEFAULT_CONFIG_ATTACHED = "attached"


def run(
    config: Annotated[
        list[str] | None,
        typer.Option(
            "--config",
            "-c",
            help="minimal, medium, high (1/1/1, 32/2/1, 32/8/4 decoder/io/model threads) or a TOML file. "
            "Repeat it to run several and compare them.",
            show_default="minimal; attached with --url",
        ),
    ] = None,
    hours: Annotated[
        float | None, typer.Option(help="Run for so many hours; with --until-decided, at most.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Run for so many minutes; with --until-decided, at most.")
    ] = None,
    connections: Annotated[
        int | None, typer.Option(help="Run for so many connections; with --until-decided, at most.")
    ] = None,
    *,
    until_decided: Annotated[
        bool,
        typer.Option(
            "--until-decided",
            help="Stop as soon as plateau or climbing stands, after the block in progress and its quiet "
            "window. Watching does not make it wrong more often: the chance of a wrong verdict is spent over "
            "a few looks, and several in a row must agree. The budget is that of the longest length, so an "
            "early plateau excludes as slow a leak as the whole would. Undecided at the end: exit code 3.",
        ),
    ] = False,
    max_minutes: Annotated[
        float | None,
        typer.Option(
            help="With --until-decided: run for at most so many minutes.",
            show_default="--hours, --minutes, --connections or the configuration's length; else 60",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="tiny (bundled), large (the published Paraformer geometry, built on first use) or a folder "
            "with online/ and offline/ models."
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            help="Address of a server that is already running, such as ws://127.0.0.1:10095; needs --pid."
        ),
    ] = None,
    pid: Annotated[int | None, typer.Option(help="Process id of that server, to sample its memory.")] = None,
    max_growth: Annotated[
        str | None,
        typer.Option(
            help="Growth per hour that still counts as a plateau, such as 5MiB. By default 0.25 % of the "
            "level over the length of the run."
        ),
    ] = None,
    probe: Annotated[
        str | None,
        typer.Option(
            metavar="auto|none|server",
            help="What is tried after the load to get memory back: server (its /debug pages), or none.",
            show_default="auto: server for the bundled one, none for others",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where run directories go.")] = Path("reports"),
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="section.key=value: change one setting of the configuration. Repeatable."),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print the verdict as JSON on standard output, words on standard error."),
    ] = False,
) -> None:
    """Load a server with connections and say whether its memory plateaus or climbs.

    Without --url the bundled Paraformer server is started and stopped again.

    A quick look (about three minutes):   soak run

    As long as it takes, an hour at most:   soak run --until-decided --max-minutes 60

    A day:   soak run --config high --model large --hours 24

    Your own server:   soak run --url ws://127.0.0.1:10095 --pid 4711 --hours 1
    """
    attachment = attachment_of(url, pid)
    default = DEFAULT_CONFIG if attachment is None else DEFAULT_CONFIG_ATTACHED
    overrides = {
        "load": length_settings(hours, minutes, connections, max_minutes, until_decided=until_decided),
        "server": {} if model is None else {"model": model},
        "sample": {} if probe is None else {"probe": probe},
        "judge": {} if max_growth is None else {"max_growth_bytes_per_hour": growth_budget_bytes(max_growth)},
    }
    configs = [load_config(name, settings or (), overrides) for name in config or [default]]
    console = Console(stderr=as_json)
    if attachment is None:
        for name in {each.server.model for each in configs}:
            ensure_model(name, Console(stderr=True))
    results: list[SoakResult] = []
    for each in configs:
        result = run_soak(each, attachment, out, console)
        results.append(result)
        tell(result, console)
        if as_json:
            typer.echo(json.dumps(result.judgement.to_json_object(source=str(result.run.path))))
        if result.exit_code is ExitCode.INTERRUPTED:
            break
    if len(results) > 1:
        _compare(results, out, console)
    raise typer.Exit(worst([result.exit_code for result in results]))


def attachment_of(url: str | None, pid: int | None) -> Attachment | None:
    """Return the server to attach to, None without one; raises `SoakError` when half of it is missing."""
    if url is None and pid is None:
        return None
    if url is None or pid is None:
        raise SoakError("--url and --pid go together: the address to load and the process to sample")
    return Attachment(url, pid)


def length_settings(
    hours: float | None = None,
    minutes: float | None = None,
    connections: int | None = None,
    max_minutes: float | None = None,
    *,
    until_decided: bool = False,
) -> dict[str, Any]:
    """Return the load settings for the length asked for; one kind of length replaces the configured one.

    Raises `SoakError` in one line for a length that cannot be meant.
    """
    lengths = {
        "--hours": hours,
        "--minutes": minutes,
        "--max-minutes": max_minutes,
        "--connections": connections,
    }
    for name, value in lengths.items():
        if value is not None and not value > 0:
            raise SoakError(f"{name} must be above 0, not {value:g}")
    durations = [name for name in ("--hours", "--minutes", "--max-minutes") if lengths[name] is not None]
    if len(durations) > 1:
        raise SoakError(f"give {durations[0]} or {durations[1]}, not both")
    settings: dict[str, Any] = {"until_decided": True} if until_decided else {}
    if durations or connections is not None:
        duration_s = hours * 3600 if hours is not None else minutes * 60 if minutes is not None else None
        settings |= {"duration_s": duration_s, "connections": connections, "max_minutes": max_minutes}
    return settings


def tell(result: SoakResult, console: Console) -> None:
    """Print what a run came to, and the end of the server's log where the server ended."""
    console.print(render_terminal(result.run, result.judgement.verdict))
    if result.ending.server_exit is not None:
        console.print(
            "\n".join(("Last lines of the server's log:", *result.ending.server_exit.log_tail)), markup=False
        )


def _compare(results: list[SoakResult], out: Path, console: Console) -> None:
    pairs = [(result.run, result.judgement.verdict) for result in results]
    folder = out / f"{results[-1].run.path.name}-comparison"
    folder.mkdir()
    page, _ = write_comparison(pairs, folder)
    console.print(comparison_table(comparison_rows(pairs)))
    for note in transcript_notes([run for run, _ in pairs]):
        console.print(f"! {note.text}" if note.is_warning else note.text, markup=False, highlight=False)
    console.print(f"Comparison: {page}", soft_wrap=True)

"""`soak experiment`: the same load over several mitigations, and which one helps."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from soak.cli.model_building import ensure_model
from soak.cli.options import DEFAULT_OUT, AsJson, Config, Connections, Minutes, Model, Out, Settings
from soak.config import Length, load_config, overrides_of
from soak.errors import ExitCode, SoakError
from soak.record.directory import explained
from soak.studies.experiment.conduct import Interrupted, Plan, Trial, conduct
from soak.studies.experiment.mitigations import BASELINE, BUILT_IN, chosen
from soak.studies.experiment.report import mitigation_list, results_table, write_experiment_reports
from soak.studies.experiment.results import FILE_NAME, best_of, in_words, read_results, rows_of, write_results

DEFAULT_REPEATS = 3


def experiment(
    *,
    config: Config[str] = "medium",
    model: Model = None,
    mitigation: Annotated[
        list[str] | None,
        typer.Option(help="Try this one against the baseline. Repeatable; see --list.", show_default="ten"),
    ] = None,
    matrix: Annotated[
        Path | None,
        typer.Option(help="TOML file with mitigations of your own: tables [name] with server settings."),
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of each; intervals need two.")] = DEFAULT_REPEATS,
    seed: Annotated[int, typer.Option(help="Of the order of the runs.")] = 0,
    minutes: Minutes = None,
    connections: Connections = None,
    settings: Settings = None,
    out: Out = DEFAULT_OUT,
    resume: Annotated[Path | None, typer.Option(help="Go on with the experiment in this directory.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Only write the report of this experiment anew.")
    ] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List the mitigations.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the same load under several mitigations and say which lowers memory, and at what price.

    Every mitigation (ONNX Runtime's arena, malloc's arenas and thresholds,
    trimming, jemalloc, mimalloc, fewer threads, …) runs as often as --repeats
    says, each time with this configuration and length, in random order, at the
    rate of arrivals that the first run, a baseline, finds. Memory, CPU time and
    latency are compared with the baseline of the same repeat, with 95 % intervals
    by Student's t.

    With the large model, an hour:   soak experiment --model large --connections 100

    Exit codes: 0 complete, 2 usage, 4 the server failed in every run of the
    baseline, 130 interrupted (go on with --resume).
    """
    console = Console(stderr=as_json)
    if show_list:
        console.print(mitigation_list(BUILT_IN))
        return
    if report is not None:
        plan, trials, skipped = read_results(report)
        _tell(report, plan, trials, skipped, console, as_json=as_json)
        return
    done: list[Trial] = []
    if resume is not None:
        folder = resume
        plan, done, skipped = read_results(resume)
    else:
        overrides = overrides_of(Length.asked(minutes=minutes, connections=connections), model=model)
        wanted = chosen(mitigation or [], matrix)
        skipped = {each.name: missing for each in wanted if (missing := each.missing()) is not None}
        plan = Plan(
            config,
            tuple(settings or ()),
            overrides,
            tuple(each for each in wanted if each.name not in skipped),
            repeats,
            seed,
        )
        _check(plan)
        folder = _new_folder(out)
    for name, why in skipped.items():
        console.print(f"{name} is left out: {why}", markup=False, highlight=False, style="yellow")
    ensure_model(load_config(plan.config, plan.settings, plan.overrides).server.model, Console(stderr=True))
    code = _carry_out(plan, done, skipped, folder, console)
    _tell(folder, plan, done, skipped, console, as_json=as_json)
    raise typer.Exit(code)


def _check(plan: Plan) -> None:
    """Refuse settings that cannot be meant before the first run rather than after some."""
    if len(plan.mitigations) < 2:
        raise SoakError(
            "there is nothing to compare with the baseline: give --mitigation, or install what is missing"
        )
    for each in plan.mitigations:
        plan.config_for(1, each, None)


def _new_folder(out: Path) -> Path:
    folder = out / f"{datetime.now(UTC).strftime('%Y%m%dT%H%M%SZ')}-experiment"
    with explained(out):
        folder.mkdir(parents=True)
    return folder


def _carry_out(
    plan: Plan, done: list[Trial], skipped: dict[str, str], folder: Path, console: Console
) -> ExitCode:
    """Make the runs that are missing, adding each to `done` and to the record; return the exit code."""
    write_results(folder, plan, done, skipped, complete=False)
    try:
        for trial in conduct(plan, list(done), folder, console):
            done.append(trial)
            write_results(folder, plan, done, skipped, complete=False)
    except Interrupted:
        console.print(f"Interrupted; go on with: soak experiment --resume {folder}", markup=False)
        return ExitCode.INTERRUPTED
    write_results(folder, plan, done, skipped, complete=True)
    baselines = [trial for trial in done if trial.mitigation == BASELINE]
    return ExitCode.PLATEAU if any(trial.measured for trial in baselines) else ExitCode.TARGET_FAILED


def _tell(
    folder: Path, plan: Plan, trials: list[Trial], skipped: dict[str, str], console: Console, *, as_json: bool
) -> None:
    if not trials:
        return
    rows = rows_of(plan, trials)
    page = write_experiment_reports(folder, plan, rows, skipped)
    console.print()
    console.print(results_table(rows))
    console.print(in_words(rows, best_of(rows)), highlight=False, markup=False)
    console.print(f"Report: {page}", soft_wrap=True, highlight=False)
    if as_json:
        typer.echo(json.dumps(json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))))

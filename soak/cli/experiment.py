"""`soak experiment`: the same load over several mitigations, and which one helps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soak.cli.options import DEFAULT_OUT, AsJson, Config, Connections, Minutes, Model, Out, Resume, Settings
from soak.errors import ExitCode
from soak.terminal import SafeConsole

if TYPE_CHECKING:
    from rich.console import Console

    from soak.studies.experiment.plan import MitigationRun
    from soak.studies.experiment.study import Experiment

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
    seed: Annotated[int, typer.Option(help="Seed of the random order of the runs.")] = 0,
    minutes: Minutes = None,
    connections: Connections = None,
    settings: Settings = None,
    out: Out = DEFAULT_OUT,
    resume: Resume = None,
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
    from soak.cli.model_building import ensure_model
    from soak.config import Length, overrides_of
    from soak.studies.conduct import Interrupted, conduct, tell_how_to_go_on
    from soak.studies.experiment.mitigations import BUILT_IN, chosen
    from soak.studies.experiment.plan import Plan
    from soak.studies.experiment.report import mitigation_list
    from soak.studies.experiment.study import Experiment

    console = SafeConsole(stderr=as_json)
    if show_list:
        console.print(mitigation_list(BUILT_IN))
        return
    if report is not None:
        _tell(*Experiment.read(report), console, as_json=as_json)
        return
    done: list[MitigationRun] = []
    if resume is not None:
        study, done = Experiment.read(resume)
    else:
        overrides = overrides_of(Length.asked(minutes=minutes, connections=connections), model=model)
        wanted = chosen(mitigation or [], matrix)
        skipped = {each.name: missing for each in wanted if (missing := each.missing()) is not None}
        tried = tuple(each for each in wanted if each.name not in skipped)
        plan = Plan(config, tuple(settings or ()), overrides, tried, repeats, seed)
        study = Experiment.begin(plan, skipped, out)
    for name, why in study.skipped.items():
        console.print(f"{name} is left out: {why}", markup=False, highlight=False, style="yellow")
    ensure_model(study.plan.shared_config().server.model, SafeConsole(stderr=True))
    try:
        for trial in conduct(study, list(done), study.folder, console):
            done.append(trial)
        code = study.exit_code(done)
    except Interrupted:
        tell_how_to_go_on(console, "experiment", study.folder)
        code = ExitCode.INTERRUPTED
    _tell(study, done, console, as_json=as_json)
    raise typer.Exit(code)


def _tell(study: Experiment, trials: list[MitigationRun], console: Console, *, as_json: bool) -> None:
    from soak.studies.experiment.report import results_table, write_experiment_reports
    from soak.studies.experiment.results import FILE_NAME, best_of, in_words, rows_of

    if not trials:
        return
    rows = rows_of(study.plan, trials)
    page = write_experiment_reports(study.folder, study.plan, rows, study.skipped)
    console.print()
    console.print(results_table(rows))
    console.print(in_words(rows, best_of(rows)), highlight=False, markup=False)
    console.print(f"Report: {page}", soft_wrap=True, highlight=False)
    if as_json:
        typer.echo(json.dumps(json.loads((study.folder / FILE_NAME).read_text(encoding="utf-8"))))

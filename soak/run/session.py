"""A whole run: make the directory, bring up the server, conduct, judge, report."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from soak.analyse import JudgeSettings
from soak.config import with_url
from soak.errors import ExitCode, SoakError
from soak.judging import Judgement, judge_run
from soak.private_file import explained
from soak.record import Run, RunDirectory, read_run
from soak.record.directory import write_json
from soak.record.events import RunStarted, ServerStarted
from soak.record.host import allocator_environment, host_facts, package_versions
from soak.record.manifest import Configuration, LoadPlan, Manifest, RecordedTarget
from soak.report.files import write_reports
from soak.report.model import ReportModel, report_model
from soak.run.conductor import Conductor
from soak.run.ending import Ending, EndReason
from soak.run.sources import open_sources, sources_of
from soak.run.view import view_for
from soak.sources import Watched
from soak.sources.registry import foreign_columns
from soak.targets import Bundled, Capability
from soak.targets.environment import server_environment

if TYPE_CHECKING:
    from rich.console import Console

    from soak.config import SoakConfig
    from soak.run.source_in_use import SourceInUse
    from soak.targets import Target, TargetServer

VERDICT_FILE = "verdict.json"


@dataclass(frozen=True)
class SoakResult:
    """What a run left behind and what it comes to."""

    run: Run
    judgement: Judgement
    report: ReportModel
    """What is told of it."""
    ending: Ending
    exit_code: ExitCode
    """The judgement's, unless the run was interrupted or the server never answered."""


def run_soak(
    config: SoakConfig,
    target: Target | None,
    out: Path,
    console: Console,
    *,
    cgroup: Path | None = None,
) -> SoakResult:
    """Run `config` against `target` from start to report, in a new directory under `out`.

    Without a target it is the bundled server, started as `config` says. A server that soak starts runs in the
    cgroup with the folder `cgroup`, if one is given.

    Call from the main thread. Raises `SoakError` when the server cannot be started or attached to, when its
    memory cannot be read, when the record cannot be written, or when the driver breaks down; what was
    recorded before is kept.
    """
    sources = sources_of(config.sample)
    with RunDirectory.create(out, config.name, foreign_columns(sources)) as directory:
        directory.append_event(RunStarted())
        with contextlib.ExitStack() as running:
            try:
                log = directory.path / "server.log"
                server = (target or Bundled()).bring_up(config.server, log, cgroup)
                running.callback(server.stop)
                directory.append_event(ServerStarted(pid=server.pid, url=server.url))
                watched = Watched(
                    server.url, server.pid, server.capabilities, verify_tls=config.load.verify_tls
                )
                opened = open_sources(sources, watched, directory, asked=bool(config.sample.sources))
            except SoakError as error:
                if error.exit_code is ExitCode.USAGE:
                    shutil.rmtree(directory.path)  # nothing happened: the line on the terminal says it all
                raise
            ending = _conduct(with_url(config, server.url), directory, server, opened, console)
    run, judgement, report = judge_and_report(directory.path)
    return SoakResult(run, judgement, report, ending, _exit_code(ending, judgement))


def judge_and_report(path: Path) -> tuple[Run, Judgement, ReportModel]:
    """Judge the recorded run at `path`, write its verdict and reports beside it, and return all three."""
    run = read_run(path)
    judgement = judge_run(run)
    return run, judgement, write_report(run, judgement, path)


def write_report(run: Run, judgement: Judgement, folder: Path) -> ReportModel:
    """Write verdict and reports of a judged run into `folder`; raises `SoakError` where that cannot be."""
    report = report_model(run, judgement)
    write_json(folder / VERDICT_FILE, judgement.to_json_object())
    with explained(folder):
        write_reports(report, folder)
    return report


def _conduct(
    config: SoakConfig,
    directory: RunDirectory,
    target: TargetServer,
    sources: tuple[SourceInUse, ...],
    console: Console,
) -> Ending:
    configuration = config.to_json_object()
    if Capability.REFERENCE not in target.capabilities:
        del configuration["server"]  # somebody else's server was started with settings of its own
    directory.write_manifest(
        Manifest(
            soak_version=package_versions().get("soak", "unknown"),
            command_line=(Path(sys.argv[0]).name, *sys.argv[1:]),
            started_utc=directory.started_utc,
            name=config.name,
            configuration=Configuration.of(configuration),
            judge_asked=config.judge.differing_from(JudgeSettings()),
            host=host_facts(),
            versions=package_versions(),
            environment=allocator_environment(server_environment(config.server)),
            target=RecordedTarget.of(target.identity()),
            load_plan=LoadPlan.of(config.load.to_json_object()),
        )
    )
    view = view_for(console, config.name)
    try:
        return asyncio.run(Conductor(config, directory, target, sources, view).run())
    finally:
        view.close()


def _exit_code(ending: Ending, judgement: Judgement) -> ExitCode:
    match ending.reason:
        case EndReason.INTERRUPTED:
            return ExitCode.INTERRUPTED
        case EndReason.NOT_READY | EndReason.SERVER_EXITED:
            return ExitCode.TARGET_FAILED
        case EndReason.FINISHED:
            return judgement.exit_code

"""A whole run: make the directory, bring up the server, conduct, judge, report."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asr_server.settings import optional_path
from soak.analyse import JudgeSettings
from soak.config import with_url
from soak.errors import ExitCode, SoakError
from soak.judging import Judgement, judge_run, recorded_settings
from soak.private_file import explained
from soak.record import Run, RunDirectory, read_run
from soak.record.directory import write_json
from soak.record.events import RunStarted, ServerStarted
from soak.record.host import allocator_environment, host_facts, package_versions
from soak.record.manifest import Configuration, LoadPlan, Manifest, RecordedTarget
from soak.report.file_names import HTML_NAME
from soak.report.files import write_reports
from soak.report.model import ReportModel, report_model
from soak.run.conductor import Conductor
from soak.run.ending import Ending, EndReason
from soak.run.sources import open_sources, sources_of
from soak.run.stopping import Stopping
from soak.run.view import view_for
from soak.sources import Watched
from soak.sources.registry import foreign_columns
from soak.targets import Bundled, Capability
from soak.targets.environment import server_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
    stopping = Stopping()
    with stopping.taking_signals():
        return _run(config, target or Bundled(), out, console, cgroup, stopping)


def _run(
    config: SoakConfig, target: Target, out: Path, console: Console, cgroup: Path | None, stopping: Stopping
) -> SoakResult:
    sources = sources_of(config.sample)
    with RunDirectory.create(out, config.name, foreign_columns(sources)) as directory:
        directory.append_event(RunStarted())
        with contextlib.ExitStack() as running:
            try:
                log = directory.path / "server.log"
                server = target.bring_up(config.server, log, cgroup)
                running.callback(server.stop)
                directory.append_event(ServerStarted(pid=server.pid, url=server.url))
                config = with_url(config, server.url, _own_certificate(config, server))
                watched = Watched(
                    server.url,
                    server.pid,
                    server.capabilities,
                    verify_tls=config.load.verify_tls,
                    certificate=config.load.certificate,
                )
                opened = open_sources(sources, watched, directory, asked=bool(config.sample.sources))
            except SoakError as error:
                if error.exit_code is ExitCode.USAGE:
                    shutil.rmtree(directory.path)  # nothing happened: the line on the terminal says it all
                raise
            with _leaving_a_report(directory.path, console):
                ending = _conduct(config, directory, server, opened, console, stopping)
    run, judgement, report = judge_and_report(directory.path)
    return SoakResult(run, judgement, report, ending, _exit_code(ending, judgement))


@contextlib.contextmanager
def _leaving_a_report(path: Path, console: Console) -> Iterator[None]:
    """Where a run breaks down, judge and report what it has recorded, as far as that goes."""
    try:
        yield
    except Exception:
        # what broke the run may well break this, too: it is the first fault that is told
        with contextlib.suppress(Exception):
            _, judgement, _ = judge_and_report(path)
            console.print(
                f"What was recorded until then: {judgement.verdict.label}, see {path / HTML_NAME}",
                soft_wrap=True,
            )
        raise


def judge_and_report(
    path: Path, asked: Mapping[str, float] | None = None
) -> tuple[Run, Judgement, ReportModel]:
    """Judge the recorded run at `path`, write its verdict and reports beside it, and return all three.

    `asked` replaces settings of the judge that the run was configured with, by their names.
    """
    run = read_run(path)
    judgement = judge_run(run, recorded_settings(run, asked))
    return run, judgement, write_report(run, judgement, path)


def write_report(run: Run, judgement: Judgement, folder: Path) -> ReportModel:
    """Write verdict and reports of a judged run into `folder`; raises `SoakError` where that cannot be."""
    report = report_model(run, judgement)
    write_json(folder / VERDICT_FILE, judgement.to_json_object())
    with explained(folder):
        write_reports(report, folder)
    return report


def _own_certificate(config: SoakConfig, server: TargetServer) -> str:
    """Return the certificate with which soak has started the bundled server; empty where there is none."""
    own = optional_path(config.server.certfile) if Capability.REFERENCE in server.capabilities else None
    return "" if own is None else str(own)


def _conduct(
    config: SoakConfig,
    directory: RunDirectory,
    target: TargetServer,
    sources: tuple[SourceInUse, ...],
    console: Console,
    stopping: Stopping,
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
    stopping.now_only_the_report_is_left()
    try:
        return asyncio.run(Conductor(config, directory, target, sources, view, stopping).run())
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

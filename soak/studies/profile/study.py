"""One more run of the same load, under a profiler, and what it comes to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from soak.errors import ExitCode, TargetError
from soak.private_file import explained, replace_text
from soak.studies.conduct import PlannedRun, Study, started
from soak.studies.profile.holders import read_grown
from soak.studies.profile.page import PAGE_NAME, write_page
from soak.studies.profile.pprof import PPROF_NAME, write_pprof
from soak.studies.profile.result import ProfileResult, profile_result
from soak.studies.profile.target import FOLDER_NAME, Profiled
from soak.studies.profile.windows import RunClock, quiet_windows
from soak.studies.profile.words import issue_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from soak.config import SoakConfig
    from soak.record import Run
    from soak.studies.conduct import MadeRun, NotStarted

ISSUE_NAME = "profile.md"


class ProfileStudy(Study[ProfileResult]):
    """Which code keeps the memory that grows?"""

    def __init__(
        self, config: SoakConfig, target: Profiled, command: str, console: Console | None = None
    ) -> None:
        """Run `config` against `target`; `command` is what makes the profile again.

        On `console` it is said what is waited for after the run.

        Raises `SoakError`, in one line, where the server cannot be profiled or something is not installed.
        """
        self.config = replace(config, name=f"{config.name}-profile")
        self.target = target
        self.command = command
        self.console = console
        target.check(config.server)

    def next_run(self, done: Sequence[ProfileResult]) -> PlannedRun | None:
        """Return the one run there is."""
        if done:
            return None
        return PlannedRun(self.config, f"under {self.target.profiler.name}", target=self.target)

    def outcome_of(
        self, done: Sequence[ProfileResult], planned: PlannedRun, made: MadeRun | NotStarted
    ) -> ProfileResult:
        """Read the profile, judge it, and write `profile.json`, `.html` and `.md` beside it."""
        del done, planned
        made = started(made)
        name = self.target.profiler.name
        if made.exit_code is ExitCode.TARGET_FAILED:
            raise TargetError(f"the server failed under {name}: see {made.run.path}")
        return self.read(made.run)

    def read(self, run: Run) -> ProfileResult:
        """Judge what the profiler wrote during `run`; raises `SoakError` where that cannot be read."""
        if self.console is not None:
            self.console.print(
                f"Reading what {self.target.profiler.name} has recorded, and judging each stack."
            )
        folder = run.path / FOLDER_NAME
        pid = run.manifest.target.pid or 0
        course = self.target.profiler.read(folder, pid, quiet_windows(run.events), RunClock.of(run))
        result = profile_result(
            course,
            read_grown(folder),
            run=run.path.name,
            profiler=self.target.profiler.name,
            command=self.command,
        )
        result.write(run.path)
        with explained(run.path):
            write_page(result, course, run.path / PAGE_NAME)
            write_pprof(course, folder / PPROF_NAME)
            replace_text(run.path / ISSUE_NAME, issue_text(result))
        return result

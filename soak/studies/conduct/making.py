"""One run of a study: the only place in which studies start a soak."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from soak.errors import TargetError
from soak.run.session import run_soak
from soak.targets import Bundled
from soak.targets.memory_cgroup import OwnCgroup

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from soak.config import SoakConfig
    from soak.errors import ExitCode
    from soak.judging import Judgement
    from soak.record import Run
    from soak.run.session import SoakResult
    from soak.targets import Target


@dataclass(frozen=True)
class OwnMemory:
    """A memory cgroup of the server's own, so that what it is charged with is known and may be limited."""

    limit_bytes: int | None
    """None: it is counted, and not limited."""


@dataclass(frozen=True)
class PlannedRun:
    """A run that a study wants to be made next."""

    config: SoakConfig
    """Its name says what the run is; the run's directory is called after it."""
    words: str
    """What is special about it, for the line of progress."""
    to_follow: int = 0
    """How many more runs are foreseen after it."""
    target: Target = field(default_factory=Bundled)
    """The server to load."""
    memory: OwnMemory | None = None
    """None: a server that soak starts shares the memory cgroup of soak."""

    @property
    def name(self) -> str:
        """What the run is called."""
        return self.config.name


@dataclass(frozen=True)
class Charge:
    """What a memory cgroup counted."""

    peak_bytes: int | None
    """The most it was charged with, page cache and kernel memory included."""
    limit_hits: int | None
    """How often memory had to be reclaimed because the limit was reached."""
    oom_kills: int
    """How often the kernel killed in it."""


@dataclass(frozen=True)
class MadeRun:
    """A run that was made, to its end or until it was interrupted."""

    result: SoakResult
    charge: Charge | None
    """Of the server's own memory cgroup; None where it had none."""

    @property
    def run(self) -> Run:
        """What was recorded."""
        return self.result.run

    @property
    def judgement(self) -> Judgement:
        """What it comes to."""
        return self.result.judgement

    @property
    def exit_code(self) -> ExitCode:
        """As of a `soak run` by itself."""
        return self.result.exit_code


@dataclass(frozen=True)
class NotStarted:
    """There is no run, because the server did not come up."""

    error: TargetError
    charge: Charge | None


def started(made: MadeRun | NotStarted) -> MadeRun:
    """Return the run that was made; raises the `TargetError` where the server did not come up."""
    if isinstance(made, NotStarted):
        raise made.error
    return made


def make_run(planned: PlannedRun, out: Path, console: Console) -> MadeRun | NotStarted:
    """Make a run in a new directory under `out`, and judge it.

    Call from the main thread. Raises `SoakError` when no run can be made: the server refuses its settings,
    no memory cgroup may be made, or the record cannot be written.
    """
    if planned.memory is None:
        return _made(planned, out, console, None)
    with OwnCgroup.create(planned.name, planned.memory.limit_bytes) as cgroup:
        return _made(planned, out, console, cgroup)


def _made(planned: PlannedRun, out: Path, console: Console, cgroup: OwnCgroup | None) -> MadeRun | NotStarted:
    folder = None if cgroup is None else cgroup.folder
    try:
        result = run_soak(planned.config, planned.target, out, console, cgroup=folder)
    except TargetError as error:
        return NotStarted(error, _charge(cgroup))
    return MadeRun(result, _charge(cgroup))


def _charge(cgroup: OwnCgroup | None) -> Charge | None:
    if cgroup is None:
        return None
    return Charge(cgroup.peak_bytes(), cgroup.limit_hits(), cgroup.oom_kills())

"""Making the runs of a study one after the other, with progress, interruption and going on later."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

from soak.errors import ExitCode
from soak.studies.conduct.making import MadeRun, make_run
from soak.studies.conduct.progress import StudyProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from rich.console import Console

    from soak.studies.conduct.making import NotStarted, PlannedRun

Outcome = TypeVar("Outcome")
"""What a study keeps of one run: small, and written to disk where the study can be gone on with."""


class Study(ABC, Generic[Outcome]):
    """A question that several runs answer.

    It remembers nothing of the runs that were made: which run is next follows from the outcomes so far, so
    that a study is gone on with from what was kept on disk as if it had never stopped.
    """

    @abstractmethod
    def next_run(self, done: Sequence[Outcome]) -> PlannedRun | None:
        """Return the run to make after those that are `done`, in the order made; None: the study is complete.

        Raises `SoakError` when its settings are wrong.
        """

    @abstractmethod
    def outcome_of(self, done: Sequence[Outcome], planned: PlannedRun, made: MadeRun | NotStarted) -> Outcome:
        """Return what is kept of the run that was `planned` after those that are `done`.

        A study that has no use for a server that does not come up passes `made` through `started`. Raises
        `SoakError` where the study ends with this run.
        """

    def keep(self, done: Sequence[Outcome], *, complete: bool) -> None:
        """Write the outcomes so far to disk, from which the study can be gone on with.

        Called before the first run, after each, and once more when the study is complete. Raises `SoakError`
        when they cannot be written.
        """


class Interrupted(Exception):  # noqa: N818 - nothing went wrong
    """The user ended a study before its end."""

    def __init__(self, made: MadeRun | None = None) -> None:
        """Keep the run that was cut short; None when it had hardly begun."""
        super().__init__("interrupted")
        self.made = made


def conduct(
    study: Study[Outcome],
    done: Sequence[Outcome],
    out: Path,
    console: Console,
    *,
    make: Callable[[PlannedRun, Path, Console], MadeRun | NotStarted] = make_run,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Outcome]:
    """Make the runs of `study` that are not `done` yet, under `out`; yield the outcome of each as it ends.

    An outcome is kept on disk before it is yielded, so that a kill loses at most the run in progress. Raises
    `Interrupted`; the run that was cut short is no outcome, and is made again when the study goes on. Raises
    `SoakError` when a run cannot be made, or its server does not come up and the study has no use for that.
    """
    outcomes = list(done)
    progress = StudyProgress(console, clock)
    study.keep(outcomes, complete=False)
    while (planned := study.next_run(outcomes)) is not None:
        number = len(outcomes) + 1
        progress.begin(number, number + planned.to_follow, planned.name, planned.words)
        try:
            made = make(planned, out, console)
        except KeyboardInterrupt:
            raise Interrupted from None
        if isinstance(made, MadeRun) and made.exit_code is ExitCode.INTERRUPTED:
            raise Interrupted(made)
        outcome = study.outcome_of(outcomes, planned, made)
        progress.end()
        outcomes.append(outcome)
        study.keep(outcomes, complete=False)
        yield outcome
    study.keep(outcomes, complete=True)

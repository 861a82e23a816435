"""An experiment: every mitigation once per repeat, in random order, as ordinary runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from soak.errors import ExitCode, SoakError
from soak.record import read_run
from soak.record.events import Calibrated
from soak.record.samples import REQUIRED_COLUMNS
from soak.studies.conduct import NotStarted, PlannedRun, Study, new_folder, started
from soak.studies.experiment.mitigations import BASELINE
from soak.studies.experiment.plan import MitigationRun
from soak.studies.experiment.results import read_results, write_results
from soak.studies.measured import measure
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from soak.studies.conduct import MadeRun
    from soak.studies.experiment.mitigations import Mitigation
    from soak.studies.experiment.plan import Plan


class Experiment(Study[MitigationRun]):
    """Which of several mitigations lowers memory, and at what price."""

    def __init__(self, plan: Plan, skipped: dict[str, str], folder: Path) -> None:
        """Carry out `plan` in the existing `folder`; `skipped` says why a mitigation was left out."""
        self.plan = plan
        self.skipped = skipped
        self.folder = folder

    @classmethod
    def begin(cls, plan: Plan, skipped: dict[str, str], out: Path) -> Self:
        """Make a folder under `out` for the experiment.

        Raises `SoakError` for settings that cannot be meant, before the first run rather than after some.
        """
        if len(plan.mitigations) < 2:
            raise SoakError(
                "there is nothing to compare with the baseline: give --mitigation, or install what is missing"
            )
        for each in plan.mitigations:
            plan.config_for(1, each, None)
        return cls(plan, skipped, new_folder(out, "experiment"))

    @classmethod
    def read(cls, folder: Path) -> tuple[Self, list[MitigationRun]]:
        """Return the experiment in `folder`, and the trials that were made; raises `SoakError`."""
        plan, trials, skipped = read_results(folder)
        return cls(plan, skipped, folder), trials

    def next_run(self, done: Sequence[MitigationRun]) -> PlannedRun | None:
        """Return the first of the plan's order that has not been made."""
        missing = self._missing(done)
        if not missing:
            return None
        repeat, mitigation = missing[0]
        config = self.plan.config_for(repeat, mitigation, self._rate_found(done))
        return PlannedRun(config, mitigation.words, to_follow=len(missing) - 1)

    def outcome_of(
        self, done: Sequence[MitigationRun], planned: PlannedRun, made: MadeRun | NotStarted
    ) -> MitigationRun:
        """Return the figures of the run, none where the server failed.

        A mitigation under which the server does not even come up is one that failed. Without the baseline
        there is nothing to compare: then the experiment ends.
        """
        del planned
        repeat, mitigation = self._missing(done)[0]
        if isinstance(made, NotStarted) and mitigation.name != BASELINE:
            code = int(made.error.exit_code)
            return MitigationRun(mitigation.name, repeat, None, str(Label.INCONCLUSIVE), code, None)
        made = started(made)
        failed = made.exit_code is ExitCode.TARGET_FAILED
        return MitigationRun(
            mitigation=mitigation.name,
            repeat=repeat,
            run=made.run.path.name,
            verdict=str(made.judgement.verdict.label),
            exit_code=int(made.exit_code),
            measured=None if failed else measure(made.run),
        )

    def keep(self, done: Sequence[MitigationRun], *, complete: bool) -> None:
        """Write `experiment.json`."""
        write_results(self.folder, self.plan, done, self.skipped, complete=complete)

    def exit_code(self, done: Sequence[MitigationRun]) -> ExitCode:
        """Return that of a complete experiment: whether any run of the baseline succeeded."""
        measured = any(trial.measured for trial in done if trial.mitigation == BASELINE)
        return ExitCode.PLATEAU if measured else ExitCode.TARGET_FAILED

    def _missing(self, done: Sequence[MitigationRun]) -> list[tuple[int, Mitigation]]:
        """Return repeats and mitigations that have not been run, in order."""
        made = {(trial.repeat, trial.mitigation) for trial in done}
        return [(repeat, each) for repeat, each in self.plan.order() if (repeat, each.name) not in made]

    def _rate_found(self, done: Sequence[MitigationRun]) -> float | None:
        """Return the rate of arrivals that the first run calibrated; None where it is given or not found."""
        for trial in done:
            run = None if trial.run is None else read_run(self.folder / trial.run, REQUIRED_COLUMNS)
            calibrated = None if run is None else run.last_event(Calibrated)
            if calibrated is not None:
                return float(calibrated.rate_per_s)
        return None

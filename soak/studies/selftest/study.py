"""A self-test: known leaks in the bundled server, and clean controls beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self

from soak.config import load_config
from soak.private_file import explained, make_folder
from soak.quantity import format_duration
from soak.studies.conduct import PlannedRun, Study, started
from soak.studies.selftest.outcome import TrialOutcome, outcome_of
from soak.studies.selftest.results import read_results, write_results
from soak.studies.selftest.trials import DEFAULT_CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from soak.studies.conduct import MadeRun, NotStarted
    from soak.studies.selftest.trials import LeakTrial

CONFIG = "minimal"
TRIAL_S = 75.0
"""About how long a trial of the default length takes, its report included."""


class SelfTest(Study[TrialOutcome]):
    """Does soak find, measure and name known leaks, and does it leave clean runs alone?"""

    def __init__(self, trials: Sequence[LeakTrial], connections: int, folder: Path) -> None:
        """Try `trials` with so many connections each; their runs and the outcomes go to `folder`."""
        self.trials = tuple(trials)
        self.connections = connections
        self.folder = folder

    @classmethod
    def read(cls, folder: Path) -> tuple[Self, list[TrialOutcome]]:
        """Return the newest self-test in `folder`, and the outcomes it has; raises `SoakError`."""
        trials, connections, outcomes = read_results(folder)
        return cls(trials, connections, folder), outcomes

    def expected_in_words(self) -> str:
        """Return how many trials there are and about how long they take all together."""
        expected_s = len(self.trials) * TRIAL_S * self.connections / DEFAULT_CONNECTIONS
        return f"{len(self.trials)} trials, about {format_duration(expected_s)}"

    def next_run(self, done: Sequence[TrialOutcome]) -> PlannedRun | None:
        """Return the run of the first trial that has no outcome."""
        if len(done) == len(self.trials):
            return None
        trial = self.trials[len(done)]
        config = replace(load_config(CONFIG, trial.settings(self.connections)), name=trial.name)
        what = str(trial.injection or "nothing injected")
        return PlannedRun(config, what, to_follow=len(self.trials) - len(done) - 1)

    def outcome_of(
        self, done: Sequence[TrialOutcome], planned: PlannedRun, made: MadeRun | NotStarted
    ) -> TrialOutcome:
        """Compare what soak said with what was injected; a server that does not come up ends the test."""
        del planned
        made = started(made)
        return outcome_of(self.trials[len(done)], made.run, made.judgement, made.exit_code)

    def keep(self, done: Sequence[TrialOutcome], *, complete: bool) -> None:
        """Write `selftest.json`."""
        with explained(self.folder):
            make_folder(self.folder, exist_ok=True)
        write_results(self.folder, self.trials, self.connections, done, complete=complete)

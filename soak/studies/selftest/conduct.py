"""Carrying trials out, one after the other, with the machinery of every other run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from soak.config import load_config
from soak.errors import ExitCode
from soak.run.session import run_soak
from soak.studies.selftest.outcome import outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rich.console import Console

    from soak.studies.selftest.outcome import Outcome
    from soak.studies.selftest.trials import Trial

CONFIG = "minimal"


class Interrupted(Exception):  # noqa: N818 - nothing went wrong
    """The user ended a trial before its end."""


def conduct(trials: Sequence[Trial], connections: int, out: Path, console: Console) -> Iterator[Outcome]:
    """Run each trial with so many connections, in a directory of its own under `out`; yield its outcome.

    Raises `Interrupted`, and `SoakError` when a run cannot be made at all.
    """
    for number, trial in enumerate(trials, start=1):
        what = trial.injection or "nothing injected"
        console.print(f"[{number}/{len(trials)}] {trial.name}: {what}", markup=False, highlight=False)
        config = replace(load_config(CONFIG, trial.settings(connections)), name=trial.name)
        result = run_soak(config, None, out, console)
        if result.exit_code is ExitCode.INTERRUPTED:
            raise Interrupted
        yield outcome_of(trial, result.run, result.judgement, result.exit_code)

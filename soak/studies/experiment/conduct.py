"""Carrying an experiment out: every mitigation once per repeat, in random order, as ordinary runs."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from soak.config import load_config
from soak.errors import ExitCode, SoakError
from soak.record import read_run
from soak.record.measured import Measured, measure
from soak.run.session import run_soak
from soak.studies.experiment.mitigations import BASELINE, Mitigation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rich.console import Console

    from soak.config import SoakConfig


@dataclass(frozen=True)
class Plan:
    """What is run."""

    config: str
    """Name or file of the configuration that all share."""
    settings: tuple[str, ...]
    """Settings laid over it, `section.key=value`."""
    overrides: dict[str, dict[str, Any]]
    """Section to key to value, laid over that."""
    mitigations: tuple[Mitigation, ...]
    """The baseline first."""
    repeats: int
    seed: int

    def order(self) -> list[tuple[int, Mitigation]]:
        """Return repeats (from 1) and mitigations in the order in which they run.

        Each repeat has every mitigation once, shuffled by the seed. The baseline comes first of all: its
        calibration finds the rate of arrivals that all the others get.
        """
        shuffler = random.Random(self.seed)  # noqa: S311 - an order, no secret
        order = []
        for repeat in range(1, self.repeats + 1):
            rest = list(self.mitigations)
            shuffler.shuffle(rest)
            if repeat == 1:
                rest.sort(key=lambda each: each.name != BASELINE)
            order += [(repeat, each) for each in rest]
        return order

    def config_for(self, repeat: int, mitigation: Mitigation, rate_per_s: float | None) -> SoakConfig:
        """Return the configuration of one run; raises `SoakError` when a mitigation's settings are wrong."""
        overrides = {section: dict(values) for section, values in self.overrides.items()}
        for section, values in (("server", mitigation.server), ("load", mitigation.load)):
            overrides.setdefault(section, {}).update(values)
        if rate_per_s is not None:
            overrides["load"]["rate_per_s"] = rate_per_s
        try:
            config = load_config(self.config, self.settings, overrides)
        except SoakError as error:
            raise SoakError(f"mitigation {mitigation.name}: {error}") from None
        return replace(config, name=f"{mitigation.name}-{repeat}")

    def to_json_object(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        return {
            "config": self.config,
            "settings": list(self.settings),
            "overrides": self.overrides,
            "mitigations": [
                {"name": each.name, "words": each.words, "server": dict(each.server), "load": dict(each.load)}
                for each in self.mitigations
            ],
            "repeats": self.repeats,
            "seed": self.seed,
        }


@dataclass(frozen=True)
class Trial:
    """One run that was made."""

    mitigation: str
    repeat: int
    run: str
    """The name of its directory."""
    verdict: str
    exit_code: int
    measured: Measured | None
    """None when the server failed."""

    def to_json_object(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        figures = None if self.measured is None else asdict(self.measured)
        return {
            "mitigation": self.mitigation,
            "repeat": self.repeat,
            "run": self.run,
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "measured": figures,
        }


class Interrupted(Exception):  # noqa: N818 - nothing went wrong
    """The user ended a run before its end."""


def conduct(plan: Plan, done: Sequence[Trial], folder: Path, console: Console) -> Iterator[Trial]:
    """Make the runs of `plan` that are not `done` yet, in `folder`; yield each when it has ended.

    Raises `Interrupted`, and `SoakError` when a run cannot be made at all.
    """
    order = plan.order()
    made = {(trial.repeat, trial.mitigation) for trial in done}
    rate_per_s = _rate_found(done, folder)
    for number, (repeat, mitigation) in enumerate(order, start=1):
        if (repeat, mitigation.name) in made:
            continue
        config = plan.config_for(repeat, mitigation, rate_per_s)
        console.print(
            f"[{number}/{len(order)}] {config.name}: {mitigation.words}", markup=False, highlight=False
        )
        result = run_soak(config, None, folder, console)
        if result.exit_code is ExitCode.INTERRUPTED:
            raise Interrupted
        failed = result.exit_code is ExitCode.TARGET_FAILED
        trial = Trial(
            mitigation=mitigation.name,
            repeat=repeat,
            run=result.run.path.name,
            verdict=str(result.judgement.verdict.verdict),
            exit_code=int(result.exit_code),
            measured=None if failed else measure(result.run),
        )
        yield trial
        rate_per_s = rate_per_s or _rate_found([trial], folder)


def _rate_found(done: Sequence[Trial], folder: Path) -> float | None:
    """Return the rate of arrivals that the first run calibrated; None where it was given, or not found."""
    for trial in done:
        calibrated = read_run(folder / trial.run).last_event("calibrated")
        if calibrated is not None:
            return float(calibrated["rate_per_s"])
    return None

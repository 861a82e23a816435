"""What an experiment runs, in which order, and what is kept of each run."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from soak.config import load_config
from soak.errors import SoakError
from soak.studies.experiment.mitigations import BASELINE, Mitigation

if TYPE_CHECKING:
    from soak.config import SoakConfig
    from soak.studies.measured import Measured


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

    def shared_config(self) -> SoakConfig:
        """Return the configuration that all share; raises `SoakError` when its settings are wrong."""
        return load_config(self.config, self.settings, self.overrides)

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
class MitigationRun:
    """One run that was made."""

    mitigation: str
    repeat: int
    run: str | None
    """The name of its directory; None when the server did not even come up."""
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

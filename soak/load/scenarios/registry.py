"""The scenarios by name."""

from __future__ import annotations

from soak.load.scenarios.scenario import Scenario
from soak.plugins import Registry

SCENARIOS: Registry[Scenario] = Registry(
    Scenario,  # type: ignore[type-abstract]  # the kind that all are
    "scenario",
    "soak.scenarios",
    {
        "dialogue": "soak.load.scenarios.dialogue:Dialogue",
    },
)

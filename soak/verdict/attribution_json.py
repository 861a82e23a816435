"""An attribution as the value of `attribution` in `verdict.json`, and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from soak.verdict.attribution import (
    ArenaHold,
    Attribution,
    ClassGrowth,
    Culprit,
    InsideGrowth,
    MemoryClass,
    ObjectGrowth,
    ProbeResult,
)


def attribution_out(attribution: Attribution) -> dict[str, Any]:
    """Return it as JSON-ready values: classes and culprits by their lower-case names."""
    return {
        **asdict(attribution),
        "growth_bytes": attribution.growth_bytes,
        "returned_bytes": attribution.returned_bytes,
        "classes": [
            {
                **asdict(each),
                "memory_class": each.memory_class.name.lower(),
                "growth_bytes": each.growth_bytes,
            }
            for each in attribution.classes
        ],
        "culprits": [culprit.name.lower() for culprit in attribution.culprits],
    }


def attribution_in(data: dict[str, Any]) -> Attribution:
    """Rebuild it; raises KeyError or TypeError for anything else."""
    derived = ("growth_bytes", "returned_bytes")
    inside = data["inside"]
    if inside is not None:
        types = tuple(ObjectGrowth(**each) for each in inside["python_types"])
        inside = InsideGrowth(**{**inside, "python_types": types})
    return Attribution(
        **{
            **{name: value for name, value in data.items() if name not in derived},
            "classes": tuple(_class_in(each) for each in data["classes"]),
            "inside": inside,
            "probes": tuple(ProbeResult(**each) for each in data["probes"]),
            "arena_holds": tuple(ArenaHold(**each) for each in data.get("arena_holds", ())),
            "culprits": tuple(Culprit[name.upper()] for name in data["culprits"]),
        }
    )


def _class_in(data: dict[str, Any]) -> ClassGrowth:
    values = {name: value for name, value in data.items() if name != "growth_bytes"}
    return ClassGrowth(**{**values, "memory_class": MemoryClass[data["memory_class"].upper()]})

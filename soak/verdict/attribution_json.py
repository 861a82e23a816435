"""An attribution as the value of `attribution` in `verdict.json`, but for its summary in words."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from soak.verdict.attribution import Attribution


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

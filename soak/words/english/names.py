"""What things are called: one name for one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.columns import declarations
from soak.verdict.quantities import JUDGED_COUNTS, Quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAMES: Mapping[str, str] = {
    Quantity.MEMORY: "Memory",
    Quantity.HEAP: "Heap in use",
    **{each.name: each.title for each in declarations(*JUDGED_COUNTS)},
}
"""What is judged, as it stands at the start of a sentence."""


def percent(probability: float) -> str:
    """Write a probability, never as certain: ``97.3 %``."""
    return f"{100 * min(max(probability, 0.001), 0.999):.3g} %"


def listed(parts: Iterable[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last

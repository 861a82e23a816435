"""What an attribution adds to the reasons of a run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from soak.verdict.attribution import SMALLEST_TOLD_BYTES, SMALLEST_TOLD_SHARE
from soak.verdict.reason import Reason, ReasonKind

if TYPE_CHECKING:
    from soak.verdict.attribution import Attribution, ClassGrowth


def culprits(attribution: Attribution) -> Reason | None:
    """Return what climbs; None when nothing does."""
    if not attribution.culprits:
        return None
    types = () if attribution.inside is None else attribution.inside.python_types
    facts = {
        "culprits": [culprit.name.lower() for culprit in attribution.culprits],
        "python_types": [asdict(each) for each in types],
    }
    return Reason(ReasonKind.CULPRITS, facts)


def where_it_grew(attribution: Attribution) -> Reason:
    """Return the classes of memory that grew, largest first, and what state so much of it is in."""
    told = max(SMALLEST_TOLD_BYTES, SMALLEST_TOLD_SHARE * abs(attribution.growth_bytes))
    grown = sorted(
        (each for each in attribution.classes if abs(each.growth_bytes) >= told),
        key=lambda each: abs(each.growth_bytes),
        reverse=True,
    )
    states = {
        "lazy_free_bytes": attribution.lazy_free_bytes,
        "huge_bytes": attribution.huge_bytes,
        "swapped_bytes": attribution.swapped_bytes,
    }
    facts: dict[str, Any] = {
        "growth_bytes": attribution.growth_bytes,
        "classes": [_class_facts(each) for each in grown],
        **{name: growth for name, growth in states.items() if growth is not None and growth >= told},
    }
    inside = attribution.inside
    if inside is not None and inside.heap_in_use_bytes is not None and inside.heap_free_bytes is not None:
        facts |= {"heap_in_use_bytes": inside.heap_in_use_bytes, "heap_free_bytes": inside.heap_free_bytes}
        if inside.arenas and inside.arena_bytes is not None:
            facts |= {"arenas": inside.arenas, "arena_bytes": inside.arena_bytes}
    return Reason(ReasonKind.WHERE_IT_GREW, facts)


def sockets_left(attribution: Attribution) -> Reason | None:
    """Return which TCP sockets were left when the driver had none open; None where none was."""
    established, close_wait = attribution.established_at_rest, attribution.close_wait_at_rest
    if not established and not close_wait:
        return None
    facts = {"established": established or 0, "close_wait": close_wait or 0}
    return Reason(ReasonKind.SOCKETS_LEFT, facts)


def given_back(attribution: Attribution) -> Reason | None:
    """Return what each probe gave back; None where none was made."""
    if not attribution.probes:
        return None
    facts: dict[str, Any] = {
        "growth_bytes": attribution.growth_bytes,
        "returned_bytes": max(0.0, attribution.returned_bytes),
        "probes": [asdict(probe) for probe in attribution.probes],
    }
    if attribution.arena_holds:
        for name in ("held_bytes", "shrunk_bytes", "loaded_bytes"):
            facts[f"arenas_{name}"] = sum(getattr(each, name) for each in attribution.arena_holds)
    return Reason(ReasonKind.GIVEN_BACK, facts)


def _class_facts(each: ClassGrowth) -> dict[str, Any]:
    return {
        "memory_class": each.memory_class.name.lower(),
        "growth_bytes": each.growth_bytes,
        "start_count": each.start_count,
        "end_count": each.end_count,
    }

"""What an attribution adds to the reasons of a verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from soak.quantity import format_bytes, format_count
from soak.verdict.attribution import SMALLEST_TOLD_BYTES, SMALLEST_TOLD_SHARE, Culprit

if TYPE_CHECKING:
    from soak.verdict.attribution import Attribution, ObjectGrowth
    from soak.verdict.verdict import Verdict

PROBE_NAMES = {
    "gc": "garbage collection",
    "arena_shrink": "shrinking ONNX Runtime's arenas",
    "trim": "malloc_trim",
}
SHOWN_TYPES = 3
WORTH_TELLING = 0.05
"""Of the growth of the largest type: smaller ones are not told beside it."""


def with_attribution(verdict: Verdict, attribution: Attribution | None) -> Verdict:
    """Put `attribution` into `verdict` and its words into the reasons: what climbs second, the rest last."""
    if attribution is None:
        return verdict
    first, *others = verdict.reasons or ("",)
    climbs = [culprits_in_words(attribution)] if attribution.culprits else []
    words = f"{attribution.summary}{_inside_in_words(attribution)}{_states_in_words(attribution)}"
    after = [f"Growth from the start, by where it is: {words}"]
    sockets = sockets_in_words(attribution)
    if sockets:
        after.append(sockets)
    if attribution.probes:
        after.append(probes_in_words(attribution))
    return replace(verdict, attribution=attribution, reasons=(first, *climbs, *others, *after))


def _inside_in_words(attribution: Attribution) -> str:
    """Say how much of it malloc has handed out and how much it only keeps, where the server tells."""
    inside = attribution.inside
    if inside is None or inside.heap_in_use_bytes is None or inside.heap_free_bytes is None:
        return ""
    in_use = format_bytes(inside.heap_in_use_bytes, signed=True)
    free = format_bytes(inside.heap_free_bytes, signed=True)
    words = f" Of malloc's memory {in_use} is in use, {free} free but kept."
    if inside.arenas and inside.arena_bytes is not None:
        held = format_bytes(inside.arena_bytes, signed=True)
        words += f" In use for malloc is what ONNX Runtime's {inside.arenas} arenas hold, {held}."
    return words


def _states_in_words(attribution: Attribution) -> str:
    """Say what state so much of it is in that RSS misleads about it; nothing where it is little."""
    told = max(SMALLEST_TOLD_BYTES, SMALLEST_TOLD_SHARE * abs(attribution.growth_bytes))
    states = (
        (attribution.lazy_free_bytes, "of it are freed pages that the kernel takes when it needs them"),
        (attribution.huge_bytes, "of it are in huge pages, which are resident whole"),
        (attribution.swapped_bytes, "more were swapped out, which RSS does not count"),
    )
    return "".join(
        f" {format_bytes(growth, signed=True)} {words}."
        for growth, words in states
        if growth is not None and growth >= told
    )


def culprits_in_words(attribution: Attribution) -> str:
    """Say what climbs: "What climbs: Python objects (bytes +31.3 MiB in 500)."."""
    words = []
    for culprit in attribution.culprits:
        inside = attribution.inside
        if culprit is Culprit.PYTHON and inside is not None:
            words.append(f"{culprit} ({_types(inside.python_types)})")
        else:
            words.append(str(culprit))
    return f"What climbs: {', '.join(words)}."


def _types(types: tuple[ObjectGrowth, ...]) -> str:
    least = WORTH_TELLING * types[0].growth_bytes if types else 0.0
    told = [each for each in types[:SHOWN_TYPES] if each.growth_bytes >= least]
    return ", ".join(
        f"{each.type_name} {format_bytes(each.growth_bytes, signed=True)}, "
        f"{format_count(each.growth_count)} more"
        for each in told
    )


def sockets_in_words(attribution: Attribution) -> str:
    """Say which TCP sockets were left when the driver had none open; nothing where none was."""
    left = (
        (attribution.established_at_rest, "still established"),
        (attribution.close_wait_at_rest, "not closed although the client has (CLOSE_WAIT)"),
    )
    parts = [f"{format_count(count)} {words}" for count, words in left if count]
    return f"TCP sockets of the server while the load had none open: {', '.join(parts)}." if parts else ""


def probes_in_words(attribution: Attribution) -> str:
    """Say what each probe gave back, and what that means."""
    parts = [
        f"{PROBE_NAMES.get(probe.probe, probe.probe)} {format_bytes(max(0.0, probe.returned_bytes))}"
        for probe in attribution.probes
    ]
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    returned = max(0.0, attribution.returned_bytes)
    stays = attribution.growth_bytes - returned
    words = (
        f"Asked after the load to give memory back, the server returned: {listed}. That was kept for reuse"
    )
    arenas = _arenas_in_words(attribution)
    if attribution.growth_bytes > 0 and stays > 0:
        return f"{words}, not leaked; {format_bytes(stays)} of the growth stay.{arenas}"
    return f"{words}, not leaked.{arenas}"


def _arenas_in_words(attribution: Attribution) -> str:
    """Say what shrinking left of ONNX Runtime's arenas; nothing where there are none."""
    if not attribution.arena_holds:
        return ""
    held, shrunk, loaded = (
        sum(getattr(each, name) for each in attribution.arena_holds)
        for name in ("held_bytes", "shrunk_bytes", "loaded_bytes")
    )
    returned = max(0.0, held - shrunk)
    return (
        f" ONNX Runtime's arenas held {format_bytes(held)}, gave malloc {format_bytes(returned)} back and "
        f"kept {format_bytes(shrunk)}, the most of them that can be in use; when the graphs were loaded it "
        f"was {format_bytes(loaded)}."
    )

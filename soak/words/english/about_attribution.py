"""Where growth sits, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from soak.quantity import format_bytes, format_count
from soak.verdict import attribution_reasons
from soak.verdict.attribution import Culprit, MemoryClass
from soak.verdict.reason import ReasonKind
from soak.words.english.names import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from soak.verdict.attribution import Attribution

    Facts = Mapping[str, Any]

PROBE_NAMES = {
    "gc": "garbage collection",
    "arena_shrink": "shrinking ONNX Runtime's arenas",
    "trim": "malloc_trim",
}
SHOWN_TYPES = 3
WORTH_TELLING = 0.05
"""Of the growth of the largest type: smaller ones are not told beside it."""
STATES = {
    "lazy_free_bytes": "of it are freed pages that the kernel takes when it needs them",
    "huge_bytes": "of it are in huge pages, which are resident whole",
    "swapped_bytes": "more were swapped out, which RSS does not count",
}
"""States of memory in which RSS misleads about it."""


def summary_in_words(attribution: Attribution) -> str:
    """Return "RSS changed by +254 MiB: +240 MiB glibc arenas (1 → 32), +14 MiB main heap."."""
    return _summary(attribution_reasons.where_it_grew(attribution).facts)


def culprits_in_words(attribution: Attribution) -> str | None:
    """Say what climbs: "What climbs: Python objects (bytes +31.3 MiB, 500 more)."; None when nothing does."""
    reason = attribution_reasons.culprits(attribution)
    return None if reason is None else _culprits(reason.facts)


def probe_name(probe: str) -> str:
    """Return what a probe is called."""
    return PROBE_NAMES.get(probe, probe)


def _culprits(facts: Facts) -> str:
    words = []
    for name in facts["culprits"]:
        culprit = Culprit[name.upper()]
        types = _types(facts["python_types"]) if culprit is Culprit.PYTHON else ""
        words.append(f"{culprit} ({types})" if types else str(culprit))
    return f"What climbs: {', '.join(words)}."


def _types(types: list[dict[str, Any]]) -> str:
    least = WORTH_TELLING * types[0]["growth_bytes"] if types else 0.0
    return ", ".join(
        f"{each['type_name']} {format_bytes(each['growth_bytes'], signed=True)}, "
        f"{format_count(each['growth_count'])} more"
        for each in types[:SHOWN_TYPES]
        if each["growth_bytes"] >= least
    )


def _where_it_grew(facts: Facts) -> str:
    words = _summary(facts)
    if "heap_in_use_bytes" in facts:
        in_use = format_bytes(facts["heap_in_use_bytes"], signed=True)
        kept = format_bytes(facts["heap_free_bytes"], signed=True)
        words += f" Heap in use {in_use}, kept by the allocator {kept}."
    if "arenas" in facts:
        held = format_bytes(facts["arena_bytes"], signed=True)
        words += f" ONNX Runtime's {facts['arenas']} arenas hold {held} of the heap in use."
    states = [
        f" {format_bytes(facts[name], signed=True)} {text}." for name, text in STATES.items() if name in facts
    ]
    return words + "".join(states)


def _summary(facts: Facts) -> str:
    growth = format_bytes(facts["growth_bytes"], signed=True)
    if not facts["classes"]:
        return f"RSS changed by {growth}, and no class of memory by much."
    classes = [
        f"{format_bytes(each['growth_bytes'], signed=True)} {_class(each)}" for each in facts["classes"]
    ]
    return f"RSS changed by {growth}: {', '.join(classes)}."


def _class(facts: Facts) -> str:
    """Return the class with its counts where they changed: "glibc arenas (2 → 34)"."""
    name, start, end = (
        str(MemoryClass[facts["memory_class"].upper()]),
        facts["start_count"],
        facts["end_count"],
    )
    if start is None or end is None or start == end:
        return name
    return f"{name} ({format_count(start)} → {format_count(end)})"


def _sockets_left(facts: Facts) -> str:
    left = (
        (facts["established"], "still established"),
        (facts["close_wait"], "not closed although the client has (CLOSE_WAIT)"),
    )
    parts = [f"{format_count(count)} {words}" for count, words in left if count]
    return f"TCP sockets left with no connection open: {', '.join(parts)}."


def _given_back(facts: Facts) -> str:
    probes = listed(
        f"{probe_name(probe['probe'])} {format_bytes(max(0.0, probe['returned_bytes']))}"
        for probe in facts["probes"]
    )
    stays = facts["growth_bytes"] - facts["returned_bytes"]
    words = (
        f"Asked after the load to give memory back, the server returned: {probes}. That was kept for reuse, "
        "not leaked"
    )
    if facts["growth_bytes"] > 0 and stays > 0:
        words += f"; {format_bytes(stays)} of the growth stay"
    return f"{words}.{_arenas(facts)}"


def _arenas(facts: Facts) -> str:
    """Say what shrinking left of ONNX Runtime's arenas; nothing where there are none."""
    if "arenas_held_bytes" not in facts:
        return ""
    held, shrunk, loaded = (facts[f"arenas_{name}_bytes"] for name in ("held", "shrunk", "loaded"))
    return (
        f" ONNX Runtime's arenas held {format_bytes(held)}, gave malloc "
        f"{format_bytes(max(0.0, held - shrunk))} back and kept {format_bytes(shrunk)}, the most of them "
        f"that can be in use; when the graphs were loaded it was {format_bytes(loaded)}."
    )


SENTENCES: dict[ReasonKind, Callable[[Facts], str]] = {
    ReasonKind.CULPRITS: _culprits,
    ReasonKind.WHERE_IT_GREW: _where_it_grew,
    ReasonKind.SOCKETS_LEFT: _sockets_left,
    ReasonKind.GIVEN_BACK: _given_back,
}
"""What writes a reason on where growth sits."""

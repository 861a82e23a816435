"""The tables of an attribution: classes, what the server says of itself, what probes gave back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.quantity import format_bytes, format_count, format_level, format_percent
from soak.report.model.tables.rows import Row
from soak.verdict.attribution import MemoryClass
from soak.words import culprits_in_words, probe_name, summary_in_words

if TYPE_CHECKING:
    from soak.verdict.attribution import Attribution, ClassGrowth

SMALLEST_TYPE_BYTES = 16 * 1024
"""Types that grew by less are not listed."""
EXPLAINED = {
    MemoryClass.HEAP: "malloc's heap of the main thread, with what was loaded",
    MemoryClass.ARENAS: "malloc's heaps of other threads; each thread warms up its own",
    MemoryClass.STACKS: "threads' stacks, as far as they were used",
    MemoryClass.ANONYMOUS: "large blocks of malloc, Python's small objects, weights",
    MemoryClass.LIBRARIES: "code and tables of programs; read in as they are used",
    MemoryClass.FILES: "models and other files that are mapped",
    MemoryClass.SHARED: "memory shared between processes",
    MemoryClass.DELETED: "mapped files whose name is gone",
    MemoryClass.OTHER: "the kernel's own pages",
}
"""What a class is, for who does not know."""


@dataclass(frozen=True)
class ClassRow:
    """One class as a row."""

    label: str
    explanation: str
    start: str
    end: str
    growth: str


@dataclass(frozen=True)
class ArenaRow:
    """One of ONNX Runtime's arenas as a row."""

    graph: str
    loaded: str
    held: str
    shrunk: str


@dataclass(frozen=True)
class AttributionTable:
    """What stands beside the pictures."""

    culprits: str | None
    """What climbs, in words; None when nothing does."""
    summary: str
    rows: tuple[ClassRow, ...]
    states: tuple[Row, ...]
    """How much of it is in a state that RSS misleads about."""
    inside: tuple[Row, ...]
    """What the server says of itself."""
    probes: tuple[Row, ...]
    """What each probe gave back."""
    arenas: tuple[ArenaRow, ...]
    """What each of ONNX Runtime's arenas held."""
    check: str
    """How well the classes add up."""


def attribution_table(attribution: Attribution | None) -> AttributionTable | None:
    """Return the tables; None where nothing is attributed."""
    if attribution is None:
        return None
    whole = format_percent(attribution.sum_over_rss)
    check = f"All classes together are {whole} of the RSS that the kernel reports"
    if attribution.accounted_share is not None:
        check += f", and the named ones {format_percent(attribution.accounted_share)} of its growth"
    return AttributionTable(
        culprits=culprits_in_words(attribution),
        summary=summary_in_words(attribution),
        rows=tuple(_row(each) for each in attribution.classes),
        states=_states(attribution),
        inside=_inside(attribution),
        probes=tuple(
            Row(probe_name(probe.probe), format_bytes(probe.returned_bytes)) for probe in attribution.probes
        ),
        arenas=tuple(
            ArenaRow(
                each.graph,
                format_level(each.loaded_bytes),
                format_level(each.held_bytes),
                format_level(each.shrunk_bytes),
            )
            for each in attribution.arena_holds
        ),
        check=f"{check}.",
    )


def _row(each: ClassGrowth) -> ClassRow:
    label = str(each.memory_class)
    if each.end_count is not None:
        counts = [format_count(count) for count in (each.start_count, each.end_count)]
        label += f" ({counts[0]})" if counts[0] == counts[1] else f" ({counts[0]} → {counts[1]})"
    return ClassRow(
        label,
        EXPLAINED[each.memory_class],
        format_level(each.start_bytes),
        format_level(each.end_bytes),
        format_bytes(each.growth_bytes, signed=True),
    )


def _states(attribution: Attribution) -> tuple[Row, ...]:
    states = (
        ("freed, for the kernel to take (LazyFree)", attribution.lazy_free_bytes),
        ("in transparent huge pages", attribution.huge_bytes),
        ("swapped out, not in RSS", attribution.swapped_bytes),
    )
    return tuple(Row(label, format_bytes(value, signed=True)) for label, value in states if value)


def _inside(attribution: Attribution) -> tuple[Row, ...]:
    inside = attribution.inside
    if inside is None:
        return ()
    growths = (
        ("heap in use", inside.heap_in_use_bytes),
        ("· ONNX Runtime's arenas, of it", inside.arena_bytes),
        ("kept by the allocator", inside.heap_free_bytes),
        ("Python objects", inside.python_bytes),
    )
    rows = [Row(label, format_bytes(value, signed=True)) for label, value in growths if value is not None]
    if inside.arenas == 0:
        rows.insert(1, Row("· ONNX Runtime's arenas", "off: tensors are malloc's"))
    rows += [
        Row(f"· {each.type_name}", f"{format_bytes(each.growth_bytes, signed=True)}, {each.growth_count:+,}")
        for each in inside.python_types
        if each.growth_bytes >= SMALLEST_TYPE_BYTES and each.growth_count > 0
    ]
    return tuple(rows)

"""The figures that tell the run's story at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.quantity import (
    MISSING,
    format_bytes,
    format_count,
    format_count_rate,
    format_duration,
    format_level,
    format_percent,
    format_rate,
    growth_unit,
    is_known,
)
from soak.verdict.verdict import Follows
from soak.words import NAMES, bounds_in_words

if TYPE_CHECKING:
    from soak.record import Transcripts
    from soak.report.model.levels import Levels
    from soak.report.model.readings import Readings
    from soak.verdict.quantities import Quantity
    from soak.verdict.run_verdict import RunVerdict
    from soak.verdict.verdict import Estimate


@dataclass(frozen=True)
class Figure:
    """One key figure, as text."""

    label: str
    value: str
    note: str = ""
    """What qualifies the value: its bounds, when it was reached, how it compares."""
    short_label: str = ""
    """What it is called where there is little room; empty for a figure that is not told there."""
    column: str = ""
    """The resource it is about, by column; empty for any other figure."""


def key_figures(
    readings: Readings,
    verdict: RunVerdict,
    levels: Levels,
    transcripts: Transcripts | None,
    *,
    random_weights: bool,
) -> tuple[Figure, ...]:
    """Return the key figures in reading order; those not known are left out.

    `random_weights` says that the model is not trained, so that its transcripts mean nothing.
    """
    figures = [
        Figure("Start", format_level(levels.start_bytes), short_label="Start"),
        _level(levels),
        Figure("Peak", format_level(levels.peak_bytes), short_label="Peak"),
        _growth(
            f"Growth per {growth_unit()}",
            f"Growth per {growth_unit()}",
            verdict.memory.growth_per_hour,
            verdict.memory.confidence,
            "h",
        ),
        *_growth_by_work(verdict),
        *_heap(verdict),
    ]
    smallest = verdict.memory.minimum_detectable_per_hour
    budget = f"budget: {format_rate(verdict.memory.budget_per_hour, signed=False)}"
    if is_known(smallest):
        figures.append(Figure("Sensitivity", format_rate(smallest, signed=False), budget))
    figures += [_climb(verdict, column) for column in verdict.climbing]
    figures.append(_connections(readings))
    if transcripts is not None and transcripts.connections:
        figures.append(_transcripts(transcripts, random_weights=random_weights))
    length = format_duration(readings.duration_s)
    name = "Duration" if growth_unit() == "hour" else "Length"
    figures.append(Figure(name, length, f"{format_count(len(readings))} samples"))
    return tuple(figure for figure in figures if figure.value != MISSING)


def _heap(verdict: RunVerdict) -> list[Figure]:
    """Return heap in use at the end and its growth, where it was read from outside."""
    heap = verdict.heap
    if heap is None or not verdict.evidence.heap_from_outside:
        return []
    each = heap.growth_per_connection
    growth, per = (heap.growth_per_hour, "hour") if each is None else (each, "connection")
    note = ""
    if is_known(growth.estimate):
        bounds = bounds_in_words(growth.low, growth.high, heap.confidence)
        note = f"{format_bytes(growth.estimate, signed=True)} per {per} ({bounds})"
    return [Figure("Heap in use", format_level(heap.end), note, "Heap in use")]


def _level(levels: Levels) -> Figure:
    note = (
        "" if levels.growth_bytes is None else f"{format_bytes(levels.growth_bytes, signed=True)} since start"
    )
    if not levels.has_plateau:
        return Figure("End", format_level(levels.end_bytes), note, "End")
    if levels.plateau_at_s is not None:
        note = f"after {format_duration(levels.plateau_at_s)}; {note}"
    return Figure("Plateau", format_level(levels.plateau_bytes), note, "Plateau")


def _growth(label: str, short_label: str, growth: Estimate, confidence: float, per: str | None) -> Figure:
    value = format_rate(growth.estimate, per) if per else format_bytes(growth.estimate, signed=True)
    bounds = bounds_in_words(growth.low, growth.high, confidence)
    note = bounds if bounds != MISSING else "bounds not known"
    return Figure(label, value, note, short_label)


def _growth_by_work(verdict: RunVerdict) -> list[Figure]:
    """Return the growth per connection, or per second of audio where that explains it best."""
    each, second = verdict.memory.growth_per_connection, verdict.memory.growth_per_audio_s
    sure = verdict.memory.confidence
    if second is not None and (each is None or verdict.memory.follows is Follows.AUDIO):
        return [_growth("Growth per audio second", "Per audio second", second, sure, None)]
    return [] if each is None else [_growth("Growth per connection", "Per connection", each, sure, None)]


def _climb(verdict: RunVerdict, column: Quantity) -> Figure:
    resource, name = verdict.resources[column], NAMES[column]
    value = f"{format_count(resource.start)} → {format_count(resource.end)}"
    growth, follows = resource.growth
    unit = "per connection" if follows is Follows.CONNECTIONS else "per hour"
    return Figure(name, value, f"{format_count_rate(growth.estimate)} {unit}", name, column)


def _connections(readings: Readings) -> Figure:
    failed = readings.last("connections_failed")
    note = "" if failed is None else f"{format_count(failed)} failed"
    completed = format_count(readings.last("connections_completed"))
    return Figure("Connections completed", completed, note, "Connections")


def _transcripts(transcripts: Transcripts, *, random_weights: bool) -> Figure:
    changed, connections = format_count(transcripts.changed), format_count(transcripts.connections)
    rate = transcripts.character_error_rate
    if rate is None:
        return Figure("Transcripts changed", changed, f"of {connections}")
    note = f"{changed} of {connections} transcripts changed"
    if transcripts.checked < transcripts.connections:
        note += f"; {format_count(transcripts.checked)} had a reference"
    if random_weights:
        note += "; random weights: the text means nothing"
    return Figure("Character error rate", format_percent(rate), note, "CER")

"""A verdict as JSON-ready data, without words."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from soak.verdict.attribution_json import attribution_out

if TYPE_CHECKING:
    from soak.verdict.run_verdict import RunVerdict
    from soak.verdict.verdict import Estimate, SeriesVerdict, Settling


def run_verdict_out(verdict: RunVerdict) -> dict[str, Any]:
    """Return the verdict on a run by the keys of `verdict.json`; numbers may be NaN."""
    memory = verdict.memory
    points = memory.points
    return {
        "verdict": str(verdict.label),
        "metric": _metric(memory),
        "start_bytes": round(memory.start),
        "plateau_bytes": None if memory.level is None else round(memory.level),
        "peak_bytes": round(memory.peak),
        "plateau_at_s": memory.level_from_s,
        "growth_bytes_per_hour": _growth(memory.growth_per_hour, memory.confidence),
        "growth_bytes_per_connection": _growth(memory.growth_per_connection, memory.confidence),
        "minimum_detectable_bytes_per_hour": memory.minimum_detectable_per_hour,
        "restarts": memory.restarts,
        "attribution": None if verdict.attribution is None else attribution_out(verdict.attribution),
        "advice": verdict.advice,
        "warm_up_end_s": memory.warm_up_end_s,
        "budget_bytes_per_hour": memory.budget_per_hour,
        "minimum_detectable_bytes_per_connection": memory.minimum_detectable_per_connection,
        "growth_bytes_per_audio_s": _growth(memory.growth_per_audio_s, memory.confidence),
        "follows": None if memory.follows is None else str(memory.follows),
        "probability_climbing": verdict.probability_climbing,
        "settling": _settling(verdict.settling),
        "trend_line": memory.trend_line,
        "restarts_at_s": memory.restarts_at_s,
        "duration_s": memory.duration_s,
        "samples": memory.samples,
        "basis": str(memory.basis),
        "points": None
        if points is None
        else {
            "t_s": points.t_s.tolist(),
            "rss_bytes": points.values.tolist(),
            "connections": None if points.connections is None else points.connections.tolist(),
        },
        "memory_verdict": str(verdict.memory_label),
        "heap": None if verdict.heap is None else _heap_out(verdict),
        "resources": {str(name): _count_out(one) for name, one in verdict.resources.items()},
        "reasons_structured": [reason.to_json_object() for reason in verdict.reasons],
    }


def _metric(memory: SeriesVerdict) -> str:
    """Return what memory was judged by, as `verdict.json` names it."""
    return "rss_plus_swap_bytes" if memory.with_swap else "rss_bytes"


def _heap_out(verdict: RunVerdict) -> dict[str, Any]:
    heap = verdict.heap
    assert heap is not None  # noqa: S101 - narrows the type; the caller has looked
    return {
        "verdict": str(heap.label),
        "from_outside": verdict.evidence.heap_from_outside,
        "growth_bytes_per_hour": _growth(heap.growth_per_hour, heap.confidence),
        "growth_bytes_per_connection": _growth(heap.growth_per_connection, heap.confidence),
        "minimum_detectable_bytes_per_hour": heap.minimum_detectable_per_hour,
        "budget_bytes_per_hour": heap.budget_per_hour,
        "start_bytes": round(heap.start),
        "end_bytes": round(heap.end),
        "probability_climbing": heap.probability_climbing,
        "trend_line": heap.trend_line,
        "reasons_structured": [reason.to_json_object() for reason in heap.reasons],
    }


def _count_out(one: SeriesVerdict) -> dict[str, Any]:
    return {
        "verdict": str(one.label),
        "growth_per_hour": _growth(one.growth_per_hour, one.confidence),
        "growth_per_connection": _growth(one.growth_per_connection, one.confidence),
        "start": round(one.start),
        "end": round(one.end),
        "peak": round(one.peak),
        "accepted": one.budget_over_run,
        "least_gained": one.least_gained,
        "settling": _settling(one.settling),
        "at_rest": None if one.at_rest is None else round(one.at_rest),
        "follows": None if one.follows is None else str(one.follows),
        "trend_line": one.trend_line,
        "reasons_structured": [reason.to_json_object() for reason in one.reasons],
    }


def _settling(settling: Settling | None) -> dict[str, float | None] | None:
    return None if settling is None else asdict(settling)


def _growth(growth: Estimate | None, confidence: float) -> dict[str, float] | None:
    """Return a growth, its bounds, and as "level" the confidence that each bound holds with."""
    return None if growth is None else {**asdict(growth), "level": confidence}

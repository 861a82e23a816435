"""A verdict as the JSON object other programs read (`verdict.json`, `--json`), and back."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from soak.analyse.resources import ResourceVerdict, memory_label
from soak.json_values import without_nan
from soak.verdict.attribution_json import attribution_in, attribution_out
from soak.verdict.verdict import UNKNOWN, Basis, Estimate, Follows, JudgedPoints, Label, Settling, Verdict

SCHEMA_VERSION = 1


def to_json_object(verdict: Verdict, source: str | None = None) -> dict[str, Any]:
    """Return the verdict as JSON-ready data: the contract's keys first, NaN and infinities as null.

    `source` (a file name) is added as "source" when given, as `soak analyze` prints it.
    """
    head: dict[str, Any] = {"schema_version": SCHEMA_VERSION}
    if source is not None:
        head["source"] = source
    points = verdict.points
    body = {
        "verdict": str(verdict.verdict),
        "reasons": list(verdict.reasons),
        "metric": verdict.metric,
        "start_bytes": verdict.start_bytes,
        "plateau_bytes": verdict.plateau_bytes,
        "peak_bytes": verdict.peak_bytes,
        "plateau_at_s": verdict.plateau_at_s,
        "growth_bytes_per_hour": _estimate_out(verdict.growth_bytes_per_hour),
        "growth_bytes_per_connection": _estimate_out(verdict.growth_bytes_per_connection),
        "minimum_detectable_bytes_per_hour": verdict.minimum_detectable_bytes_per_hour,
        "restarts": verdict.restarts,
        "attribution": None if verdict.attribution is None else attribution_out(verdict.attribution),
        "advice": verdict.advice,
        "warm_up_end_s": verdict.warm_up_end_s,
        "budget_bytes_per_hour": verdict.budget_bytes_per_hour,
        "minimum_detectable_bytes_per_connection": verdict.minimum_detectable_bytes_per_connection,
        "growth_bytes_per_audio_s": _estimate_out(verdict.growth_bytes_per_audio_s),
        "follows": None if verdict.follows is None else str(verdict.follows),
        "confidence": verdict.confidence,
        "probability_climbing": verdict.probability_climbing,
        "settling": _settling_out(verdict.settling),
        "trend_line": verdict.trend_line,
        "restarts_at_s": verdict.restarts_at_s,
        "duration_s": verdict.duration_s,
        "samples": verdict.samples,
        "basis": str(verdict.basis),
        "points": None
        if points is None
        else {
            "t_s": points.t_s.tolist(),
            "rss_bytes": points.rss_bytes.tolist(),
            "connections": None if points.connections is None else points.connections.tolist(),
        },
        "memory_verdict": str(memory_label(verdict)),
        "resources": {column: _resource_out(resource) for column, resource in verdict.resources.items()},
    }
    cleaned = without_nan(head | body)
    assert isinstance(cleaned, dict)  # noqa: S101 - narrows the type; the argument above is a dict
    return cleaned


def from_json_object(data: dict[str, Any]) -> Verdict:
    """Rebuild a verdict from `to_json_object`'s output; ValueError (one line) for anything else."""
    version = data.get("schema_version")
    if version != SCHEMA_VERSION:
        raise ValueError(f"verdict has schema_version {version!r}; this soak reads {SCHEMA_VERSION}")
    try:
        return _rebuild(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"not a verdict this soak wrote: {type(error).__name__}: {error}") from error


def _rebuild(data: dict[str, Any]) -> Verdict:
    points = data.get("points")
    follows = data.get("follows")
    return Verdict(
        verdict=Label(data["verdict"]),
        reasons=tuple(data["reasons"]),
        metric=data["metric"],
        start_bytes=data["start_bytes"],
        plateau_bytes=data["plateau_bytes"],
        peak_bytes=data["peak_bytes"],
        plateau_at_s=data["plateau_at_s"],
        growth_bytes_per_hour=_estimate_in(data["growth_bytes_per_hour"]) or UNKNOWN,
        growth_bytes_per_connection=_estimate_in(data["growth_bytes_per_connection"]),
        minimum_detectable_bytes_per_hour=_number_in(data["minimum_detectable_bytes_per_hour"]),
        restarts=data["restarts"],
        advice=data["advice"],
        attribution=None if data.get("attribution") is None else attribution_in(data["attribution"]),
        warm_up_end_s=data.get("warm_up_end_s"),
        budget_bytes_per_hour=_number_in(data.get("budget_bytes_per_hour")),
        minimum_detectable_bytes_per_connection=data.get("minimum_detectable_bytes_per_connection"),
        growth_bytes_per_audio_s=_estimate_in(data.get("growth_bytes_per_audio_s")),
        follows=None if follows is None else Follows(follows),
        confidence=data.get("confidence", ""),
        probability_climbing=_number_in(data.get("probability_climbing")),
        settling=_settling_in(data.get("settling")),
        trend_line=_line_in(data.get("trend_line")),
        restarts_at_s=tuple(data.get("restarts_at_s", ())),
        duration_s=data.get("duration_s", 0.0),
        samples=data.get("samples", 0),
        basis=Basis(data.get("basis", Basis.LOAD_ENVELOPE)),
        points=None if points is None else _points_in(points),
        resources={column: _resource_in(entry) for column, entry in data.get("resources", {}).items()},
    )


def _points_in(points: dict[str, Any]) -> JudgedPoints:
    connections = points["connections"]
    return JudgedPoints(
        t_s=np.array(points["t_s"], dtype=np.float64),
        rss_bytes=np.array(points["rss_bytes"], dtype=np.float64),
        connections=None if connections is None else np.array(connections, dtype=np.float64),
    )


def _resource_out(resource: ResourceVerdict) -> dict[str, Any]:
    return {
        "verdict": str(resource.verdict),
        "reasons": list(resource.reasons),
        "growth_per_hour": _estimate_out(resource.growth_per_hour),
        "growth_per_connection": _estimate_out(resource.growth_per_connection),
        "start": resource.start,
        "end": resource.end,
        "peak": resource.peak,
        "accepted": resource.accepted,
        "least_gained": resource.least_gained,
        "settling": _settling_out(resource.settling),
        "at_rest": resource.at_rest,
        "follows": None if resource.follows is None else str(resource.follows),
        "confidence": resource.confidence,
        "trend_line": resource.trend_line,
    }


def _resource_in(data: dict[str, Any]) -> ResourceVerdict:
    follows = data["follows"]
    return ResourceVerdict(
        verdict=Label(data["verdict"]),
        reasons=tuple(data["reasons"]),
        growth_per_hour=_estimate_in(data["growth_per_hour"]) or UNKNOWN,
        growth_per_connection=_estimate_in(data["growth_per_connection"]),
        start=data["start"],
        end=data["end"],
        peak=data["peak"],
        accepted=_number_in(data["accepted"]),
        least_gained=_number_in(data.get("least_gained")),
        settling=_settling_in(data.get("settling")),
        at_rest=data["at_rest"],
        follows=None if follows is None else Follows(follows),
        confidence=data["confidence"],
        trend_line=_line_in(data["trend_line"]),
    )


def _settling_out(settling: Settling | None) -> dict[str, float | None] | None:
    return None if settling is None else asdict(settling)


def _settling_in(data: dict[str, float | None] | None) -> Settling | None:
    return None if data is None else Settling(**data)


def _line_in(line: list[list[float]] | None) -> tuple[tuple[float, float], tuple[float, float]] | None:
    return None if line is None else ((line[0][0], line[0][1]), (line[1][0], line[1][1]))


def _estimate_out(estimate: Estimate | None) -> dict[str, float] | None:
    return None if estimate is None else asdict(estimate)


def _estimate_in(data: dict[str, float | None] | None) -> Estimate | None:
    if data is None:
        return None
    return Estimate(*(_number_in(data[name]) for name in ("estimate", "low", "high")))


def _number_in(value: float | None) -> float:
    return math.nan if value is None else float(value)

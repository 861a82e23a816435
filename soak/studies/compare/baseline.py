"""The baseline file: a side of a comparison as a small JSON document, to commit or to cache."""

from __future__ import annotations

import math
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Strict, ValidationError

from soak.errors import SoakError
from soak.json_values import without_nan
from soak.record.directory import write_json
from soak.record.recorded import Number, Recorded, first_fault, parse
from soak.studies.compare.run_figures import RunFigures
from soak.studies.compare.side import Side

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA_VERSION = 1
KIND = "soak-baseline"


def write_baseline(side: Side, path: Path) -> None:
    """Write `side` to `path`, whole or not at all, NaN as null; raises `SoakError` when it cannot be."""
    write_json(
        path,
        {
            "schema_version": SCHEMA_VERSION,
            "kind": KIND,
            "name": side.name,
            "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
            "identity": side.identity,
            "versions": side.versions,
            "runs": [without_nan(asdict(run)) for run in side.runs],
        },
    )


def read_baseline(path: Path) -> Side:
    """Read a baseline; raises `SoakError` in one line when it is none, or holds a figure that cannot be."""
    again = "write one with 'soak baseline save'"
    try:
        recorded = parse(path.read_bytes())
    except OSError as error:
        raise SoakError(f"cannot read {path}: {error.strerror}; {again}") from None
    except ValueError as error:
        raise SoakError(f"{path} is no baseline: {error}; {again}") from None
    if not isinstance(recorded, dict) or recorded.get("kind") != KIND:
        raise SoakError(f"{path} is no baseline: {again}")
    if recorded.get("schema_version") != SCHEMA_VERSION:
        version = f"{recorded.get('schema_version')!r:.40}"
        raise SoakError(f"{path} has schema_version {version}; this soak reads {SCHEMA_VERSION}")
    try:
        content = _Baseline.of(recorded)
    except ValidationError as error:
        raise SoakError(f"{path} is no baseline: {first_fault(error)}; {again}") from None
    if not content.runs:
        raise SoakError(f"{path} holds no runs: write it anew with 'soak baseline save'")
    runs = tuple(_figures(run) for run in content.runs)
    return Side(content.name, content.identity, content.versions, runs)


Figure = Number | None
"""None where the run did not show it."""


class _RunFigures(Recorded):
    run: str
    verdict: str
    connections: Figure
    start_bytes: Figure
    level_bytes: Figure
    growth_bytes: Figure
    peak_bytes: Figure
    bytes_per_connection: Figure
    bytes_per_connection_low: Figure
    bytes_per_connection_high: Figure
    cpu_s_per_audio_s: Figure
    first_partial_p50_ms: Figure
    final_p50_ms: Figure
    final_p99_ms: Figure


class _Baseline(Recorded):
    name: str
    identity: dict[str, str]
    versions: dict[str, str]
    runs: Annotated[tuple[_RunFigures, ...], Strict(strict=False)]


def _figures(run: _RunFigures) -> RunFigures:
    known: dict[str, Any] = {field.name: getattr(run, field.name) for field in fields(RunFigures)}
    figures: dict[str, Any] = {name: math.nan if value is None else value for name, value in known.items()}
    return RunFigures(**figures)

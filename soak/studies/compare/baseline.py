"""The baseline file: a side of a comparison as a small JSON document, to commit or to cache."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from soak.errors import SoakError
from soak.json_values import without_nan
from soak.record.directory import write_json
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
    """Read a baseline; raises `SoakError` in one line when it is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["kind"] != KIND:
            raise SoakError(f"{path} is no baseline: write one with 'soak baseline save'")
        if content["schema_version"] != SCHEMA_VERSION:
            raise SoakError(
                f"{path} has schema_version {content['schema_version']}; this soak reads {SCHEMA_VERSION}"
            )
        runs = tuple(_figures(run) for run in content["runs"])
        side = Side(content["name"], dict(content["identity"]), dict(content["versions"]), runs)
    except OSError as error:
        raise SoakError(
            f"cannot read {path}: {error.strerror}; write one with 'soak baseline save'"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SoakError(f"{path} is no baseline: {error}; write one with 'soak baseline save'") from None
    if not side.runs:
        raise SoakError(f"{path} holds no runs: write it anew with 'soak baseline save'")
    return side


def _figures(run: dict[str, Any]) -> RunFigures:
    known: dict[str, Any] = {field.name: run[field.name] for field in fields(RunFigures)}
    figures: dict[str, Any] = {name: math.nan if value is None else value for name, value in known.items()}
    return RunFigures(**figures)

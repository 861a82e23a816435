"""The runs at which a figure stepped to another level and stayed there."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from soak.analyse.steps import Step, find_steps
from soak.errors import SoakError
from soak.json_values import without_nan
from soak.studies.compare.figures import FIGURES, short_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from soak.studies.history.runs_over_time import RunHistory

SCHEMA_VERSION = 1


def steps_of(history: RunHistory, figure: str, tolerance: float) -> list[Step]:
    """Return the steps of `figure`; `tolerance` is a share of its median. Runs without it are passed over."""
    known = [(place, value) for place, value in enumerate(history.values(figure)) if math.isfinite(value)]
    if not known:
        return []
    # of growth, too, what counts is its size beside the whole
    levels = [value for value in history.values("level_bytes") if math.isfinite(value)]
    values = [value for _, value in known]
    scale = float(np.median(levels if FIGURES[figure].is_memory and levels else values))
    steps = find_steps(
        values, expected_spread=FIGURES[figure].spread * abs(scale), tolerance=tolerance * abs(scale)
    )
    return [replace(step, index=known[step.index][0]) for step in steps]


def figure_named(name: str) -> str:
    """Return the field of `RunFigures` that `--figure NAME` means; raises `SoakError` for another name."""
    names = {short_name(field): field for field in FIGURES}
    if name not in names:
        raise SoakError(f"--figure {name}: there are {', '.join(names)}")
    return names[name]


def to_json_object(found: Sequence[tuple[RunHistory, Sequence[Step]]], figure: str) -> dict[str, Any]:
    """Return histories with the steps of `figure` as JSON-ready data; NaN is null."""
    histories = [_history_as_json(history, figure, steps) for history, steps in found]
    return {"schema_version": SCHEMA_VERSION, "histories": histories}


def _history_as_json(history: RunHistory, figure: str, steps: Sequence[Step]) -> dict[str, Any]:
    return {
        "name": history.name,
        "identity": history.identity,
        "figure": figure,
        "runs": [
            {
                "run": entry.figures.run,
                "started_utc": entry.started_utc,
                "verdict": entry.figures.verdict,
                "value": without_nan(value),
            }
            for entry, value in zip(history.entries, history.values(figure), strict=True)
        ],
        "steps": [
            {
                "run": history.entries[step.index].figures.run,
                "before": step.before,
                "after": step.after,
                "difference": step.difference.estimate,
                "low": step.difference.low,
                "high": step.difference.high,
                "changed_versions": history.changed_versions(step.index),
            }
            for step in steps
        ],
    }

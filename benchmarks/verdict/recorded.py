"""Recorded runs of real servers, as traces: one directory each with `samples.csv` and `label.json`.

A run whose label has lengths is several traces: "churn/nginx_leak8k" is the whole of it, and
"churn/nginx_leak8k/first_third" a beginning.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.verdict.trace import Trace
from soak.judging import series_of
from soak.judging.recorded import held_bytes
from soak.record import read_run
from soak.verdict.quantities import Quantity

if TYPE_CHECKING:
    import pandas as pd

RECORDED = Path(__file__).parent / "real"
"""Where they lie."""
FAMILY = "recorded"
"""Their family."""
WHOLE = "whole"
"""The length that has the run's own name."""


@dataclass(frozen=True)
class _Place:
    """Where a trace is to be found."""

    directory: Path
    length: str


def recorded_names(root: Path = RECORDED) -> list[str]:
    """Name every recorded trace, in order; a directory without a label is no trace.

    A length in which a leak adds hardly more than the budget is left out: no answer to it would be wrong.
    """
    return sorted(
        name
        for path in root.rglob("label.json")
        for name in _names(str(path.parent.relative_to(root)), _read_label(path.parent))
    )


def read_recorded(name: str, root: Path = RECORDED) -> Trace:
    """Read one trace; raises ValueError, in one line, for a label that does not say whether it leaks.

    The truth in bytes per hour is unknown (NaN) for a leak, and 0 for a healthy run. Raises KeyError for a
    length that the run does not have.
    """
    place = _place(name, root)
    return _trace(name, _read_label(place.directory), _read_samples(place))


def read_recorded_heap(name: str, root: Path = RECORDED) -> Trace | None:
    """Read the same trace with heap in use for its series, small Python objects included where there are any.

    It has the readings of the heap alone, which are fewer. None where there is none: another allocator than
    glibc's, or an older recording. Raises as `read_recorded` does.
    """
    place = _place(name, root)
    samples = _read_samples(place)
    held = held_bytes(samples)
    if held is None:
        return None
    trace = _trace(name, _read_label(place.directory), samples)
    read = np.isfinite(held)
    series = replace(trace.series.part(read), values=held[read], quantity=Quantity.HEAP, swap_bytes=None)
    return replace(trace, series=series)


def _trace(name: str, label: dict[str, Any], samples: pd.DataFrame) -> Trace:
    per_connection = label.get("growth_bytes_per_connection")
    return Trace(
        name=name,
        family=FAMILY,
        leaking=label["leaking"],
        series=series_of(samples),
        growth_bytes_per_hour=math.nan if label["leaking"] else 0.0,
        growth_bytes_per_connection=None if per_connection is None else float(per_connection),
        signal_to_noise=None,
        group=label.get("group"),
    )


def _names(run: str, label: dict[str, Any]) -> list[str]:
    if "lengths" not in label:
        return [run]
    scored = [length for length, each in label["lengths"].items() if not each.get("within_budget")]
    return [run if length == WHOLE else f"{run}/{length}" for length in scored]


def _place(name: str, root: Path) -> _Place:
    directory = root / name
    if (directory / "label.json").is_file():
        return _Place(directory, WHOLE)
    return _Place(directory.parent, directory.name)


def _read_label(directory: Path) -> dict[str, Any]:
    label: dict[str, Any] = json.loads((directory / "label.json").read_text(encoding="utf-8"))
    if label.get("leaking") not in (True, False):
        raise ValueError(f'{directory / "label.json"} must say "leaking": true or false')
    return label


def _read_samples(place: _Place) -> pd.DataFrame:
    samples = read_run(place.directory / "samples.csv").samples
    if place.length == WHOLE:
        return samples
    end_s: float = _read_label(place.directory)["lengths"][place.length]["end_s"]
    return samples.loc[samples["t_s"] <= end_s]

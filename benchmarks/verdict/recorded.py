"""Recorded runs of real servers, as traces: one directory each with `samples.csv` and `label.json`."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from benchmarks.verdict.trace import Trace
from soak.judging import series_of
from soak.record import read_run

RECORDED = Path(__file__).parent / "real"
"""Where they lie."""
FAMILY = "recorded"
"""Their family."""


def recorded_names(root: Path = RECORDED) -> list[str]:
    """Name every recorded trace, in order; a directory without a label is no trace."""
    return sorted(str(label.parent.relative_to(root)) for label in root.rglob("label.json"))


def read_recorded(name: str, root: Path = RECORDED) -> Trace:
    """Read one trace; raises ValueError, in one line, for a label that does not say whether it leaks.

    The truth in bytes per hour is unknown (NaN) for a leak, and 0 for a healthy run.
    """
    directory = root / name
    label: dict[str, Any] = json.loads((directory / "label.json").read_text(encoding="utf-8"))
    leaking = label.get("leaking")
    if leaking not in (True, False):
        raise ValueError(f'{directory / "label.json"} must say "leaking": true or false')
    per_connection = label.get("growth_bytes_per_connection")
    return Trace(
        name=name,
        family=FAMILY,
        leaking=leaking,
        series=series_of(read_run(directory / "samples.csv").samples),
        growth_bytes_per_hour=math.nan if leaking else 0.0,
        growth_bytes_per_connection=None if per_connection is None else float(per_connection),
        signal_to_noise=None,
    )

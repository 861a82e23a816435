"""What the engine in use before the posterior said of the same traces: its answers, not its code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.verdict.intervals import Growths
from soak.verdict.verdict import Estimate, Label

FOLDER = Path(__file__).parent
"""A file for each part, as README.md beside it describes."""


@dataclass(frozen=True)
class Recorded:
    """What it said of one series."""

    label: Label
    probability: float | None
    """That it climbs; None where it had too little to say."""
    budget_per_hour: float | None
    growths: Growths
    cpu_s: float


@dataclass(frozen=True)
class Former:
    """Its answers on one part by the name of the trace."""

    whole: dict[str, Recorded]
    halves: dict[str, Recorded]
    """On the first half of each."""


@cache
def answers_on(part: str) -> Former:
    """Read the answers on a part; there are none where it was not asked."""
    path = FOLDER / f"{part}.json"
    if not path.is_file():
        return Former({}, {})
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    whole, halves = (
        {name: _recorded(each) for name, each in found[kind].items()} for kind in ("answers", "halves")
    )
    return Former(whole, halves)


def _recorded(each: list[Any]) -> Recorded:
    label, probability, budget, per_hour, per_connection, per_audio_s, cpu_ms = each
    intervals = (None if it is None else Estimate(*it) for it in (per_hour, per_connection, per_audio_s))
    return Recorded(Label(label), probability, budget, Growths(*intervals), cpu_ms / 1000)

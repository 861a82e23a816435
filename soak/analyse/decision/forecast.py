"""How much more of a run would settle what is not decided yet."""

from __future__ import annotations

import json
import math
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from soak.analyse.floors.run import Run
    from soak.verdict.verdict import Settling

SETTLING = "settling.json"
"""What `python -m soak.learn` found on the world: a row for each range of readings, a column for each range
of leanings, in it how much more (as a share of the run) settled half of such runs; null where none did."""
READINGS = (3, 12, 32, 128, math.inf)
"""Ends of the ranges of readings,"""
LEANINGS = (-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0)
"""and of leanings: -1 is a plateau, 1 climbing."""


def closeness(beyond: float, confidence: float) -> float:
    """Return how close a probability of growth beyond the budget is to a verdict: -1 plateau, 1 climbing."""
    return _logit(beyond) / _logit(confidence)


def forecast(beyond: float, readings: int, run: Run, confidence: float) -> Settling | None:
    """Return how much more of the same load settles half of the runs that look like this one.

    `beyond` is the probability of growth beyond the budget; None where most such runs never settle.
    """
    row, column = kind_of(readings, closeness(beyond, confidence))
    more = _table()[row][column]
    return None if more is None else run.more(more)


def kind_of(readings: int, leaning: float) -> tuple[int, int]:
    """Return the row and the column of the table for a run of so many readings that leans so far."""
    row = int(np.searchsorted(READINGS, readings, side="right")) - 1
    column = int(np.searchsorted(LEANINGS, leaning, side="right")) - 1
    return min(max(row, 0), len(READINGS) - 2), min(max(column, 0), len(LEANINGS) - 2)


@cache
def _table() -> list[list[float | None]]:
    text = files("soak.analyse.decision").joinpath(SETTLING).read_text(encoding="utf-8")
    table: list[list[float | None]] = json.loads(text)["more"]
    return table


def _logit(probability: float) -> float:
    inside = min(max(probability, 1e-9), 1.0 - 1e-9)
    return math.log(inside / (1.0 - inside))

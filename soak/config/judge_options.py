"""What the command line asks of the judge, and what became of settings that it no longer has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from soak.analyse import JudgeSettings
from soak.config.sizes import growth_budget
from soak.errors import SoakError

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY_LENGTH = "any number of readings is judged, in proportion to what they show: leave it out"
ONE_CONFIDENCE = "set judge.confidence (also --confidence), which holds for every verdict and every bound"
LEARNED = "what it steered is learned from simulated servers: leave it out"
GONE: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "min_duration_s",
            "min_connections",
            "min_points",
            "min_climbing_points",
            "min_troughs",
            "few_points",
            "few_points_pace",
            "seasoned_connections",
            "seasoned_s",
        ),
        ANY_LENGTH,
    ),
    **dict.fromkeys(
        ("plateau_confidence", "climbing_confidence", "interval_confidence", "beyond_doubt"), ONE_CONFIDENCE
    ),
    **dict.fromkeys(
        (
            "floor_quantile",
            "max_bins",
            "kept_pace",
            "benign_tail_share",
            "slow_tail_pace",
            "slow_tail_span",
            "still_running",
            "prior_lasting",
            "settled_pace_share",
            "settled_pace_budgets",
            "most_warming",
            "little_warming",
        ),
        LEARNED,
    ),
    "page_bytes": "it is called judge.grain_bytes now",
}
"""Settings that earlier versions of the judge had, and what to do about each."""


def refuse_gone(judge: Mapping[str, Any]) -> None:
    """Raise `SoakError`, in one line that says what to do, for a setting that the judge no longer has."""
    for name in judge:
        if name in GONE:
            raise SoakError(f"judge.{name} is gone: {GONE[name]}")


def judge_asked(max_growth: str | None = None, confidence: str | None = None) -> dict[str, float]:
    """Return the judge's settings that --max-growth and --confidence ask for, by name; none for None.

    Raises `SoakError` in one line that names the option.
    """
    asked = {}
    if max_growth is not None:
        asked["max_growth_bytes_per_hour"] = growth_budget(max_growth)
    if confidence is not None:
        asked["confidence"] = confidence_asked(confidence)
    return asked


def confidence_asked(text: str) -> float:
    """Read the value of --confidence as a probability: 0.95, 95 and 95% are the same.

    Raises `SoakError` in one line for what is none, or is not above one half and below one.
    """
    match = re.fullmatch(r"\s*(\d*\.?\d+)\s*(%?)\s*", text)
    if match is None:
        raise SoakError(f"--confidence {text}: write a probability such as 0.95 or 95%")
    value = float(match[1])
    if match[2] or value > 1:
        value /= 100
    try:
        JudgeSettings(confidence=value)
    except ValueError:
        raise SoakError(f"--confidence {text}: it must be above 50% and below 100%") from None
    return value

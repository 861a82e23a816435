"""The bounds of a growth, in words."""

from __future__ import annotations

from soak.quantity import MISSING, format_interval
from soak.words.english.names import percent


def each_bound(confidence: float) -> str:
    """Say how sure either bound is: ``each bound 90 %``."""
    return f"each bound {percent(confidence)}"


def bounds_in_words(low: float, high: float, confidence: float, per: str | None = None) -> str:
    """Return one-sided bounds of a growth in bytes: ``3 to 5 KiB/h, each bound 90 %``.

    What stands for a number that is not known where they are not.
    """
    interval = format_interval(low, high, per)
    return interval if interval == MISSING else f"{interval}, {each_bound(confidence)}"

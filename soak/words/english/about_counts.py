"""What is found of descriptors, threads, sockets and live sessions, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from soak.quantity import format_count, format_count_rate, format_duration, format_number
from soak.verdict.quantities import Quantity, Unit
from soak.verdict.reason import ReasonKind
from soak.verdict.verdict import Follows
from soak.words.english.names import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from soak.verdict.verdict import SeriesVerdict

    Facts = Mapping[str, Any]


def is_count(facts: Facts) -> bool:
    """Whether these are the facts of a finding on a count."""
    return "quantity" in facts and Quantity(facts["quantity"]).unit is Unit.COUNT


def left_over(facts: Facts) -> str:
    """Say how many sessions were left when there should be none."""
    are = "is" if facts["left"] == 1 else "are"
    return (
        f"{NAMES[Quantity.SESSIONS]} do not return to zero: {format_count(facts['left'])} {are} left in the "
        "last quiet window."
    )


def growth_of_count(verdict: SeriesVerdict) -> str:
    """Return the growth in the unit it follows: ``1.00 per connection (between 0.9 and 1.1)``."""
    growth, follows = verdict.growth
    unit = "per connection" if follows is Follows.CONNECTIONS else "per hour"
    return _pace(growth.estimate, growth.low, growth.high, unit)


def _climbs(facts: Facts) -> str:
    growth = facts["growth"]
    pace = _pace(growth["estimate"], growth["low"], growth["high"], f"per {growth['per']}")
    return f"{NAMES[facts['quantity']]} climb: {pace}; {_levels(facts)}."


def _flat(facts: Facts) -> str:
    _, most = _gained(facts)
    return (
        f"{NAMES[facts['quantity']]} do not climb: at most {format_count_rate(max(most, 0.0))} more over "
        f"{_run(facts)} (budget {format_number(facts['budget_over_run'])}); {_levels(facts)}."
    )


def _undecided(facts: Facts) -> str:
    low, high = (format_count_rate(end) for end in _gained(facts))
    return (
        f"{NAMES[facts['quantity']]} are undecided: between {low} and {high} more over {_run(facts)} ("
        f"budget {format_number(facts['budget_over_run'])}); {_levels(facts)}."
    )


def _too_few(facts: Facts) -> str:
    return f"{NAMES[facts['quantity']]} are undecided: too few readings to fit a trend; {_levels(facts)}."


SENTENCES: dict[ReasonKind, Callable[[Facts], str]] = {
    ReasonKind.PERSISTS: _climbs,
    ReasonKind.WITHIN_BUDGET: _flat,
    ReasonKind.UNDECIDED: _undecided,
    ReasonKind.TOO_COARSE: _undecided,
    ReasonKind.NOTHING_READ: _too_few,
    ReasonKind.TOO_FEW_POINTS: _too_few,
}
"""What writes the finding on a count."""


def _pace(estimate: float, low: float, high: float, unit: str) -> str:
    ends = f"{format_count_rate(low)} and {format_count_rate(high)}"
    return f"{format_count_rate(estimate)} {unit} (between {ends})"


def _gained(facts: Facts) -> tuple[float, float]:
    """Return the ends of the interval of the growth over the run."""
    growth, hours = facts["growth_per_hour"], facts["duration_s"] / 3600.0
    return growth["low"] * hours, growth["high"] * hours


def _run(facts: Facts) -> str:
    return format_duration(facts["duration_s"])


def _levels(facts: Facts) -> str:
    levels = f"{format_count(facts['start'])} at the start, {format_count(facts['end'])} at the end"
    if facts["peak"] > max(facts["start"], facts["end"]):
        levels += f", peak {format_count(facts['peak'])}"
    return levels

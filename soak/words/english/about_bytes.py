"""What is found of memory, or of heap in use, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from soak.quantity import (
    format_bytes,
    format_count,
    format_duration,
    format_level,
    format_rate,
    format_rounded_count,
)
from soak.verdict.reason import ReasonKind
from soak.verdict.verdict import EVEN, Follows
from soak.words.english.bounds import bounds_in_words
from soak.words.english.names import NAMES, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Facts = Mapping[str, Any]

UNITS = {"connection": "per connection", "audio_second": "per second of audio"}
FOLLOWED = {
    Follows.CONNECTIONS: "the number of connections, not the time",
    Follows.AUDIO: "the seconds of audio, not the time",
    Follows.TIME: "the time, not the load",
}


def _flat(facts: Facts) -> str:
    found = (
        f"{NAMES[facts['quantity']]} is flat at {format_level(facts['level'])}: no lasting growth above "
        f"the budget of {_budget(facts)} per run ({percent(1.0 - facts['probability_climbing'])})."
    )
    if facts["seen_per_hour"] is None:
        return found
    seen = _rates(facts["seen_per_hour"], facts["seen_per_connection"])
    return f"{found} A leak of {seen} or more would not have been called flat."


def _climbs(facts: Facts) -> str:
    gained = format_bytes(facts["growth_per_hour"]["estimate"] * facts["judged_s"] / 3600.0)
    return (
        f"{_grows(facts)} and does not stop: {gained} over the {format_duration(facts['judged_s'])} judged, "
        f"where {_budget(facts)} are accepted ({percent(facts['probability_climbing'])})."
    )


def _undecided(facts: Facts) -> str:
    low, high = (facts["growth_per_hour"][end] * facts["judged_s"] / 3600.0 for end in ("low", "high"))
    beyond = facts["probability_climbing"]
    return (
        f"{NAMES[facts['quantity']]} is not decided yet: growth that lasts is between {format_bytes(low)} "
        f"and {format_bytes(high)} over this run, and {_budget(facts)} are accepted. "
        f"It leans to {_leaning(beyond)}."
    )


def _leaning(beyond: float) -> str:
    if beyond < EVEN:
        return f"a plateau ({percent(1.0 - beyond)})"
    return f"climbing ({percent(beyond)})"


def _nothing_read(facts: Facts) -> str:
    return f"{NAMES[facts['quantity']]} was never read: there is nothing to judge."


def _too_coarse(facts: Facts) -> str:
    return (
        f"This record cannot tell: memory was read to {format_bytes(facts['grain'])}, and the budget is "
        f"{_budget(facts)} per run. Record it in bytes or KB, or for longer."
    )


def _too_few_points(facts: Facts) -> str:
    readings = facts["readings"]
    return f"Only {readings} reading{'' if readings == 1 else 's'} to judge: a trend needs three."


def settling(facts: Facts) -> str:
    """Say what would settle an inconclusive verdict."""
    seconds, connections = facts["more_seconds"], facts["more_connections"]
    if seconds is None:
        return (
            "No run of reasonable length settles it at this noise. Say with --max-growth what growth matters "
            "to you."
        )
    what = "memory" if facts.get("of_memory") else "it"
    wanted = f"about {format_duration(max(seconds, 1.0))} more"
    if connections:
        return f"To settle {what}: about {format_rounded_count(connections)} more connections ({wanted})."
    return f"To settle {what}: {wanted} of the same load."


def _growth(facts: Facts) -> str:
    hourly, sure = facts["per_hour"], facts["confidence"]
    bounds = bounds_in_words(hourly["low"], hourly["high"], sure, "h")
    found = [f"{format_rate(hourly['estimate'], signed=False)} ({bounds})"]
    for name, unit in (("per_connection", "per connection"), ("per_audio_s", "per second of audio")):
        growth = facts[name]
        if growth is not None:
            bounds = bounds_in_words(growth["low"], growth["high"], sure)
            found.append(f"{format_bytes(growth['estimate'])} {unit} ({bounds})")
    text = f"Growth that lasts: {'; '.join(found)}."
    if facts["follows"] is not None:
        text += f" It follows {FOLLOWED[Follows(facts['follows'])]}."
    return text


def _no_warm_up(_facts: Facts) -> str:
    return "No warm-up stands out from the noise: the whole run was judged."


def _warm_up(facts: Facts) -> str:
    over = format_duration(facts["over_after_s"])
    if facts["over_after_connections"] is not None:
        over += f" ({format_rounded_count(facts['over_after_connections'])} connections)"
    gained = format_bytes(facts["gained"], signed=True)
    return f"Warm-up: {gained}, over after {over}."


def _sensitivity(facts: Facts) -> str:
    budget = format_rate(facts["budget_per_hour"], signed=False)
    if facts["budget_over_run"] is not None:
        budget += f" ({format_bytes(facts['budget_over_run'])} per run)"
    return f"Sensitivity: {_rates(facts['per_hour'], facts['per_connection'])}. Budget: {budget}."


def _basis(facts: Facts) -> str:
    text = f"Judged on {format_count(facts['readings'])} readings"
    if facts["points"] < facts["readings"]:
        text += f", as the floors of {facts['points']} stretches"
    if facts["in_quiet_windows"]:
        windows = facts["quiet_windows"]
        text += f"; {format_count(windows)} quiet window{'' if windows == 1 else 's'} among them tell most"
    text += "."
    if facts["per_open_connection"] > 0:
        text += (
            f" Each open connection holds {format_bytes(facts['per_open_connection'])}; that was taken out."
        )
    return text


def _restarted(facts: Facts) -> str:
    times = "once" if facts["restarts"] == 1 else f"{facts['restarts']} times"
    which = "only its last life" if facts["last_life"] else "its longest life"
    return f"The process was restarted {times}; {which}, {format_duration(facts['judged_s'])}, was judged."


SENTENCES: dict[ReasonKind, Callable[[Facts], str]] = {
    ReasonKind.WITHIN_BUDGET: _flat,
    ReasonKind.PERSISTS: _climbs,
    ReasonKind.UNDECIDED: _undecided,
    ReasonKind.NOTHING_READ: _nothing_read,
    ReasonKind.TOO_COARSE: _too_coarse,
    ReasonKind.TOO_FEW_POINTS: _too_few_points,
    ReasonKind.SETTLING: settling,
    ReasonKind.GROWTH: _growth,
    ReasonKind.NO_WARM_UP: _no_warm_up,
    ReasonKind.WARM_UP: _warm_up,
    ReasonKind.SENSITIVITY: _sensitivity,
    ReasonKind.BASIS: _basis,
    ReasonKind.RESTARTED: _restarted,
}
"""What writes a reason on memory or on heap in use."""


def _grows(facts: Facts) -> str:
    """Say how fast it grows, in the unit that growth follows: ``Memory grows by 8 KiB per connection``."""
    hourly = format_rate(facts["growth_per_hour"]["estimate"], signed=False)
    name, growth = NAMES[facts["quantity"]], facts["growth"]
    if growth["per"] == "hour":
        return f"{name} grows by {hourly}"
    return f"{name} grows by {format_bytes(growth['estimate'])} {UNITS[growth['per']]} ({hourly})"


def _rates(per_hour: float, per_connection: float | None) -> str:
    """Return ``42.8 KiB/h (4.65 B per connection)``."""
    rate = format_rate(per_hour, signed=False)
    return rate if per_connection is None else f"{rate} ({format_bytes(per_connection)} per connection)"


def _budget(facts: Facts) -> str:
    return format_bytes(facts["budget_over_run"])

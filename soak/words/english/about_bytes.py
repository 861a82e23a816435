"""What is found of memory, or of heap in use, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from soak.quantity import (
    format_bytes,
    format_duration,
    format_interval,
    format_level,
    format_percent,
    format_rate,
    format_rounded_count,
)
from soak.verdict.reason import ReasonKind, Topic
from soak.verdict.verdict import Follows
from soak.words.english.names import NAMES, SHAPES, listed, percent, with_article

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Facts = Mapping[str, Any]

UNITS = {"connection": "per connection", "audio_second": "per second of audio"}
FOLLOWED = {
    Follows.CONNECTIONS: "the number of connections, not the time",
    Follows.AUDIO: "the seconds of audio, not the time",
    Follows.TIME: "the time, not the load",
}
FOR_A_LEAK = {
    Topic.WHOLE: "the whole run fits lasting growth",
    Topic.LAST_PARTS: "its last parts fit lasting growth",
    Topic.STEADINESS: "the rise is steady",
    Topic.END: "the run ends high",
    Topic.PACE: "the pace holds",
    Topic.WARM_UP: "no warm-up accounts for it",
    Topic.RESTARTS: "the process was restarted",
}
AGAINST = {
    Topic.WHOLE: "the whole run fits growth that ends",
    Topic.LAST_PARTS: "its last parts fit growth that ends",
    Topic.STEADINESS: "the rise is not steady",
    Topic.END: "the run does not end high",
    Topic.PACE: "the pace slackens",
    Topic.WARM_UP: "a warm-up accounts for it",
    Topic.RESTARTS: "the process was restarted",
}


def _flat(facts: Facts) -> str:
    most = _rates(facts["at_most_per_hour"], facts["at_most_per_connection"])
    return (
        f"{NAMES[facts['quantity']]} is flat at {format_level(facts['level'])}. No lasting growth above the "
        f"budget of {_budget(facts)} per run ({percent(1.0 - facts['probability_climbing'])}). "
        f"Any leak above {most} would have shown (95 %)."
    )


def _climbs(facts: Facts) -> str:
    gained = format_bytes(facts["growth_per_hour"]["estimate"] * facts["judged_s"] / 3600.0)
    return (
        f"{_grows(facts)} and does not stop: {gained} over the {format_duration(facts['judged_s'])} judged "
        f"({percent(facts['probability_climbing'])}). No warm-up, step or swing explains it. "
        f"Its shape: {with_article(SHAPES[facts['lasting_shape']])}."
    )


def _slowing(facts: Facts) -> str:
    more = format_bytes(facts["ending_pace_over_run"])
    return (
        f"{NAMES[facts['quantity']]} is still warming up: another {format_duration(facts['judged_s'])} at "
        f"the present pace would add {more}. Its shape: {_shapes(facts['ending_shapes'])}."
    )


def _slow_tail(facts: Facts) -> str:
    return (
        f"{_grows(facts)} without slowing down, but so far only by {format_percent(facts['share_of_level'])} "
        "of its level. Healthy servers have shown a slow tail of this size that then ended."
    )


def _young(facts: Facts) -> str:
    points, least = facts["points"], facts["points_to_climb"]
    why = (
        f"a leak is called from {least} on"
        if points < least
        else "and it was slower in the later half of them"
    )
    return f"{_grows(facts)}, but only {points} points were judged, {why}. A warm-up has looked like that."


def _few_rests(facts: Facts) -> str:
    return (
        f"{_grows(facts)} under load, but the server was quiet only {facts['quiet_windows']} times. "
        f"From {facts['quiet_windows_wanted']} quiet windows on, growth can be told from what open "
        "connections hold."
    )


def _undecided(facts: Facts) -> str:
    low, high = (facts["growth_per_hour"][end] * facts["judged_s"] / 3600.0 for end in ("low", "high"))
    return (
        f"Neither flat nor climbing is shown. Lasting growth over this run is between {format_bytes(low)} "
        f"and {format_bytes(high)} (95 %), the budget {_budget(facts)} "
        f"({percent(facts['probability_climbing'])} for climbing)."
    )


def _nothing_read(facts: Facts) -> str:
    return f"{NAMES[facts['quantity']]} was never read: there is nothing to judge."


def _too_short(facts: Facts) -> str:
    return (
        f"The run covers {format_duration(facts['judged_s'])}; nothing is decided in less than "
        f"{format_duration(facts['seconds_wanted'])}."
    )


def _too_coarse(facts: Facts) -> str:
    return (
        f"This record cannot tell: memory was read to {format_bytes(facts['grain'])}, and the budget is "
        f"{_budget(facts)} per run. Record it in bytes or KB, or for longer."
    )


def _too_few_connections(facts: Facts) -> str:
    completed = format_rounded_count(facts["connections"] or 0)
    wanted = format_rounded_count(facts["connections_wanted"])
    return f"Only {completed} connections were completed; warm-up alone takes about {wanted}."


def _too_few_points(facts: Facts) -> str:
    kind = "quiet windows" if facts["in_quiet_windows"] else "readings"
    return f"There are only {facts['points']} {kind} to judge; a trend needs {facts['points_wanted']}."


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
    hourly = facts["per_hour"]
    rate, interval = format_rate(hourly["estimate"], signed=False), _interval(hourly, "h")
    found = [f"{rate} (95 %: {interval})"]
    for name, unit in (("per_connection", "per connection"), ("per_audio_s", "per second of audio")):
        growth = facts[name]
        if growth is not None:
            found.append(f"{format_bytes(growth['estimate'])} {unit} (95 %: {_interval(growth)})")
    text = f"Growth after warm-up: {'; '.join(found)}."
    if facts["follows"] is not None:
        text += f" It follows {FOLLOWED[Follows(facts['follows'])]}."
    return text


def _last_part(facts: Facts) -> str:
    return f"Measured over the last {format_duration(facts['judged_s'])}, after warm-up."


def _no_warm_up(_facts: Facts) -> str:
    return "No warm-up stands out from the noise: the whole run was judged."


def _warm_up(facts: Facts) -> str:
    over = format_duration(facts["over_after_s"])
    if facts["over_after_connections"] is not None:
        over += f" ({format_rounded_count(facts['over_after_connections'])} connections)"
    gained = format_bytes(facts["gained"], signed=True)
    return f"Warm-up: {gained}, over after {over}. Its shape: {_shapes(facts['shapes'])}."


def _sensitivity(facts: Facts) -> str:
    budget = format_rate(facts["budget_per_hour"], signed=False)
    if facts["budget_over_run"] is not None:
        budget += f" ({format_bytes(facts['budget_over_run'])} per run)"
    return f"Sensitivity: {_rates(facts['per_hour'], facts['per_connection'])}. Budget: {budget}."


def _basis(facts: Facts) -> str:
    if facts["in_quiet_windows"]:
        text = f"Judged on {facts['points']} quiet windows, with no connection open."
    else:
        text = f"Judged under load, on the lowest readings of {facts['points']} stretches."
    if facts["swings"]:
        text += " Memory swings with a period; the swing was taken out."
    if facts["per_open_connection"] > 0:
        text += (
            f" Each open connection holds {format_bytes(facts['per_open_connection'])}; that was taken out."
        )
    return text


def _evidence(facts: Facts) -> str:
    said = [
        f"Evidence {side}: {listed(words[Topic(topic)] for topic in facts[name])}."
        for name, side, words in (("for_leak", "for a leak", FOR_A_LEAK), ("against", "against", AGAINST))
        if facts[name]
    ]
    return " ".join(said)


def _restarted(facts: Facts) -> str:
    times = "once" if facts["restarts"] == 1 else f"{facts['restarts']} times"
    which = "only its last life" if facts["last_life"] else "its longest life"
    return f"The process was restarted {times}; {which}, {format_duration(facts['judged_s'])}, was judged."


SENTENCES: dict[ReasonKind, Callable[[Facts], str]] = {
    ReasonKind.WITHIN_BUDGET: _flat,
    ReasonKind.PERSISTS: _climbs,
    ReasonKind.SLOWING: _slowing,
    ReasonKind.SLOW_TAIL: _slow_tail,
    ReasonKind.YOUNG: _young,
    ReasonKind.FEW_RESTS: _few_rests,
    ReasonKind.UNDECIDED: _undecided,
    ReasonKind.NOTHING_READ: _nothing_read,
    ReasonKind.TOO_SHORT: _too_short,
    ReasonKind.TOO_COARSE: _too_coarse,
    ReasonKind.TOO_FEW_CONNECTIONS: _too_few_connections,
    ReasonKind.TOO_FEW_POINTS: _too_few_points,
    ReasonKind.SETTLING: settling,
    ReasonKind.GROWTH: _growth,
    ReasonKind.LAST_PART: _last_part,
    ReasonKind.NO_WARM_UP: _no_warm_up,
    ReasonKind.WARM_UP: _warm_up,
    ReasonKind.SENSITIVITY: _sensitivity,
    ReasonKind.BASIS: _basis,
    ReasonKind.EVIDENCE: _evidence,
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


def _interval(growth: Mapping[str, float], per: str | None = None) -> str:
    return format_interval(growth["low"], growth["high"], per)


def _budget(facts: Facts) -> str:
    return format_bytes(facts["budget_over_run"])


def _shapes(kinds: list[str]) -> str:
    return listed(with_article(SHAPES[kind]) for kind in kinds) if kinds else "nothing"

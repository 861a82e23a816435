"""The verdict in words: what was seen, with numbers and units, most important first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.analyse.decision import Cause
from soak.quantity import format_bytes, format_duration, format_level, format_rounded_count
from soak.verdict.verdict import EVEN, Basis, Follows, Label

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from soak.analyse.decision import Decision, Run
    from soak.analyse.evidence import Evidence
    from soak.analyse.points import Points
    from soak.analyse.settings import JudgeSettings
    from soak.verdict.verdict import Estimate, Settling


TO_BE_TOLD = 0.2
"""Log odds below which what was weighed is not worth a word,"""
MOST_TOLD = 2
"""and how many things are told for either side."""
TO_SETTLE = "To settle it"
"""How the sentence begins on what settles an inconclusive verdict."""
FLAT = "Memory is flat at"
"""How the one begins on a plateau."""


@dataclass(frozen=True, eq=False)
class Facts:
    """Everything the words are made of."""

    decision: Decision
    evidence: Evidence | None
    points: Points
    run: Run
    start_bytes: float
    budget_bytes_per_s: float
    budget_is_relative: bool
    restarts: int
    last_life: bool
    """Whether the last life of the process was judged, and not a longer one before it."""
    detectable_bytes_per_s: float
    settings: JudgeSettings
    spoken: Mapping[str, float]
    """What was weighed, in words, with what it adds to the log odds of a leak."""


def reasons_in_words(facts: Facts) -> tuple[str, ...]:
    """Return the reasons, most important first; each is a sentence or two."""
    reasons = [_main(facts)]
    if facts.decision.label is Label.INCONCLUSIVE and facts.decision.cause is not Cause.NOTHING_READ:
        reasons.append(_settling(facts.decision.settling))
    if facts.evidence is not None:
        reasons.append(_slope(facts, facts.evidence))
        reasons.append(_warm_up(facts, facts.evidence))
        reasons.append(_detectable(facts, facts.evidence))
        reasons.append(_judged(facts))
        reasons.append(_weighed(facts))
    if facts.restarts:
        which = "only its last life" if facts.last_life else "its longest life"
        reasons.append(
            f"The process started anew {facts.restarts} time{'s' if facts.restarts > 1 else ''}; "
            f"{which}, {format_duration(facts.run.duration_s)}, was judged."
        )
    return tuple(reason for reason in reasons if reason)


def confidence_in_words(facts: Facts) -> str:
    """Return how sure the verdict is, in words."""
    belief = facts.decision.belief
    if math.isnan(belief):
        return "not enough evidence to decide"
    if facts.decision.label is Label.INCONCLUSIVE:
        return f"not enough evidence to decide; {leaning_in_words(belief)}"
    sure = belief if facts.decision.label is Label.CLIMBING else 1.0 - belief
    strength = "very high" if sure >= 0.99 else "high" if sure >= 0.95 else "moderate"
    what = (
        "growth beyond the budget goes on"
        if facts.decision.label is Label.CLIMBING
        else "no growth beyond the budget goes on"
    )
    return f"{strength}: {what}, {_percent(sure)} sure"


def leaning_in_words(probability_climbing: float) -> str:
    """Say what a run leans to that is not decided."""
    if probability_climbing < EVEN:
        return f"leans to a plateau, {_percent(1.0 - probability_climbing)}"
    return f"leans to climbing, {_percent(probability_climbing)}"


def _main(facts: Facts) -> str:
    if facts.evidence is None:
        return _too_little(facts)
    sentence = SENTENCES[facts.decision.cause]
    return sentence(facts, facts.evidence)


def _within_budget(facts: Facts, evidence: Evidence) -> str:
    most = max(evidence.at_most_per_second, 0.0)
    sure = _percent(1.0 - facts.decision.belief)
    excluded = f"{format_bytes(most * 3600.0)} per hour{_also_per_unit(evidence, most)}"
    return (
        f"{FLAT} {format_level(evidence.end_level_bytes)}: it does not go on growing beyond the "
        f"budget of {_budget_over_run(facts)} over the run ({sure} sure). "
        f"A leak of more than {excluded} is excluded with 95 %."
    )


def _persists(facts: Facts, evidence: Evidence) -> str:
    over_run = format_bytes(evidence.per_second.estimate * evidence.run_s)
    return (
        f"Memory grows by {_pace(evidence)} and does not stop: {over_run} over the "
        f"{format_duration(evidence.run_s)} judged, and no warm-up, step or swing explains it "
        f"({_percent(facts.decision.belief)} sure). Its shape: a {evidence.lasting_shape}."
    )


def _slowing(_facts: Facts, evidence: Evidence) -> str:
    return (
        f"Memory is still warming up: its growth bends like {_ending(evidence)}, and at the pace that has "
        f"now another {format_duration(evidence.run_s)} would add "
        f"{format_bytes(max(evidence.warm_up_pace_bytes, evidence.beside_pace_bytes))}."
    )


def _slow_tail(_facts: Facts, evidence: Evidence) -> str:
    percent = 100 * evidence.per_second.estimate * evidence.run_s / max(evidence.level_bytes, 1.0)
    return (
        f"Memory grows by {_pace(evidence)} without slowing down, but that is only {percent:.1f} % of its "
        "level so far: healthy servers have shown a slow tail of this size that then ended."
    )


def _young(facts: Facts, evidence: Evidence) -> str:
    points = evidence.point_count
    if points < facts.settings.min_climbing_points:
        why = f"a leak is called from {facts.settings.min_climbing_points} on"
    else:
        why = "and it was slower in the later half of them"
    return (
        f"Memory grows by {_pace(evidence)}, but was judged at only {points} points, {why}: warm-up has "
        "looked like that."
    )


def _few_rests(facts: Facts, evidence: Evidence) -> str:
    points, least = facts.points, facts.settings.min_points
    return (
        f"Memory grows by {_pace(evidence)} under load, but the server rested only {points.windows} times: "
        f"from {least} rest windows on their floors tell growth from what open connections hold."
    )


def _undecided(facts: Facts, evidence: Evidence) -> str:
    low = format_bytes(evidence.run_s * evidence.per_second.low)
    high = format_bytes(evidence.run_s * evidence.per_second.high)
    return (
        f"Growth that goes on comes to between {low} and {high} over the length of this run (95 %), and the "
        f"budget is {_budget_over_run(facts)}: neither flat nor climbing is shown "
        f"({_percent(facts.decision.belief)} for climbing)."
    )


SENTENCES: dict[Cause, Callable[[Facts, Evidence], str]] = {
    Cause.WITHIN_BUDGET: _within_budget,
    Cause.PERSISTS: _persists,
    Cause.SLOWING: _slowing,
    Cause.SLOW_TAIL: _slow_tail,
    Cause.YOUNG: _young,
    Cause.FEW_RESTS: _few_rests,
    Cause.UNDECIDED: _undecided,
}
"""The first sentence, by what the verdict rests on."""


def _too_little(facts: Facts) -> str:
    settings, run = facts.settings, facts.run
    points = facts.points
    if facts.decision.cause is Cause.NOTHING_READ:
        return "There is no reading of the memory to judge."
    if facts.decision.cause is Cause.TOO_SHORT:
        return (
            f"The run covers {format_duration(run.duration_s)}; nothing is decided in less than "
            f"{format_duration(settings.min_duration_s)}."
        )
    if facts.decision.cause is Cause.TOO_FEW_CONNECTIONS:
        completed = format_rounded_count(run.connections or 0)
        wanted = format_rounded_count(settings.min_connections)
        return f"Only {completed} connections were completed; warm-up alone takes about {wanted}."
    kind = "rest windows" if points.basis is Basis.REST_WINDOWS else "readings"
    least = settings.min_points
    return f"There are only {points.t_s.size} {kind} to judge; a trend with its noise needs {least}."


def _settling(settling: Settling | None) -> str:
    if settling is None or settling.more_seconds is None:
        return (
            "No run of reasonable length settles it at this noise; --max-growth can say what matters to you."
        )
    wanted = f"about {format_duration(max(settling.more_seconds, 1.0))} more"
    if settling.more_connections:
        count = format_rounded_count(settling.more_connections)
        return f"{TO_SETTLE}: about {count} more connections ({wanted})."
    return f"{TO_SETTLE}: {wanted} of the same load."


def _slope(facts: Facts, evidence: Evidence) -> str:
    slope = _interval(evidence.per_second, 3600.0, "per hour")
    text = f"Growth after warm-up: {slope}"
    if evidence.per_connection is not None:
        text += f"; {_interval(evidence.per_connection, 1.0, 'per connection')}"
    if evidence.per_audio_s is not None:
        text += f"; {_interval(evidence.per_audio_s, 1.0, 'per second of audio')}"
    text += f". Budget: {format_bytes(facts.budget_bytes_per_s * 3600.0)} per hour"
    text += f" ({_budget_over_run(facts)} over the run)." if facts.budget_is_relative else "."
    if evidence.per_second.low > 0 and evidence.follows is not None:
        text += f" It follows {FOLLOWED[evidence.follows]}."
    return text


FOLLOWED = {
    Follows.CONNECTIONS: "the number of connections, not the time",
    Follows.AUDIO: "the seconds of audio, not the time",
    Follows.TIME: "the time, not the load",
}
"""What growth follows, in words."""


def _warm_up(facts: Facts, evidence: Evidence) -> str:
    points = facts.points
    if evidence.point_count > points.t_s.size:
        return (
            f"The growth is that of the last {format_duration(points.length_s)} of the run, which says most."
        )
    if evidence.first == 0 or not evidence.ending:
        return "No warm-up stands out from the noise; the whole run was judged."
    begun = facts.run.duration_s - float(points.t_s[-1] - points.t_s[evidence.first])
    when = f"{format_duration(max(begun, 0.0))} into the run"
    if points.connections is not None:
        when += f" (after {format_rounded_count(float(points.connections[evidence.first]))} connections)"
    gained = format_bytes(evidence.warm_up_gain_bytes)
    return f"Growth that ended: {gained}, all but over {when}; it is explained by {_ending(evidence)}."


def _detectable(facts: Facts, evidence: Evidence) -> str:
    smallest = facts.detectable_bytes_per_s
    if not math.isfinite(smallest):
        return ""
    text = f"The smallest growth this run could have seen is {format_bytes(smallest * 3600.0)} per hour"
    if evidence.per_connection is not None:
        rate = evidence.tail_span / max(evidence.tail_s, 1e-9)
        text += f", or {format_bytes(smallest / max(rate, 1e-9))} per connection"
    return f"{text}; a slower leak would not show."


def _judged(facts: Facts) -> str:
    points = facts.points
    if points.basis is Basis.REST_WINDOWS:
        text = f"Judged on the floors of {points.t_s.size} rest windows, when no connection was open."
    else:
        text = f"Judged on the lower envelope of the readings under load ({points.t_s.size} stretches)."
    if facts.evidence is not None and facts.evidence.swings.shape[1]:
        text += " Memory swings with a period; the swing was taken out."
    if points.bytes_per_open_connection > 0:
        worth = format_bytes(points.bytes_per_open_connection)
        text += f" Memory follows the open connections, {worth} each; that was taken out."
    return text


def _weighed(facts: Facts) -> str:
    """Say what spoke most for a leak and against it, as factors of its odds."""
    told = []
    for sign, side in ((1.0, "for a leak"), (-1.0, "against it")):
        most = sorted(
            (-sign * adds, topic) for topic, adds in facts.spoken.items() if sign * adds > TO_BE_TOLD
        )
        words = [f"{topic} (odds × {math.exp(-adds):.2g})" for adds, topic in most[:MOST_TOLD]]
        if words:
            told.append(f"{side} speaks {' and '.join(words)}")
    return f"Weighed: {'; '.join(told)}." if told else ""


def _pace(evidence: Evidence) -> str:
    hourly = f"{format_bytes(evidence.per_second.estimate * 3600.0)} per hour"
    unit = _per_unit(evidence)
    if unit is None:
        return hourly
    estimate, name = unit
    return f"{format_bytes(estimate.estimate)} {name} ({hourly})"


def _per_unit(evidence: Evidence) -> tuple[Estimate, str] | None:
    """Return the growth by the unit people would quote it in, where that is not time."""
    if evidence.follows is Follows.AUDIO and evidence.per_audio_s is not None:
        return evidence.per_audio_s, "per second of audio"
    if evidence.follows is not Follows.TIME and evidence.per_connection is not None:
        return evidence.per_connection, "per connection"
    return None


def _also_per_unit(evidence: Evidence, bytes_per_s: float) -> str:
    if evidence.per_connection is None or evidence.per_second.estimate == 0:
        return ""
    seconds_each = evidence.per_connection.estimate / evidence.per_second.estimate
    return f", or {format_bytes(bytes_per_s * seconds_each)} per connection"


def _ending(evidence: Evidence) -> str:
    """Name the shapes of growth that ends, the largest first."""
    kinds: dict[str, float] = {}
    for shape, gain in evidence.ending:
        kinds[str(shape.kind)] = kinds.get(str(shape.kind), 0.0) + abs(gain)
    names = [
        f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
        for kind in sorted(kinds, key=lambda kind: -kinds[kind])
    ]
    return " and ".join(names) if names else "nothing"


def _percent(probability: float) -> str:
    return f"{100 * min(max(probability, 0.001), 0.999):.3g} %"


def _interval(slope: Estimate, factor: float, unit: str) -> str:
    low, high = format_bytes(slope.low * factor), format_bytes(slope.high * factor)
    return f"{format_bytes(slope.estimate * factor)} {unit} (95 % between {low} and {high})"


def _budget_over_run(facts: Facts) -> str:
    return format_bytes(facts.budget_bytes_per_s * facts.run.duration_s)

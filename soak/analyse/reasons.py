"""The verdict in words: what was seen, with numbers and units, most important first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from soak.analyse.decision import Cause
from soak.analyse.verdict import Basis, Follows, Label
from soak.quantity import format_bytes, format_duration, format_level, format_rounded_count

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.analyse.decision import Decision, Run
    from soak.analyse.evidence import Evidence
    from soak.analyse.points import Points
    from soak.analyse.settings import JudgeSettings
    from soak.analyse.verdict import Estimate, Settling


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
    detectable_bytes_per_s: float
    settings: JudgeSettings


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
    if facts.restarts:
        reasons.append(
            f"The process started anew {facts.restarts} time{'s' if facts.restarts > 1 else ''}; "
            f"only its last life, {format_duration(facts.run.duration_s)}, was judged."
        )
    return tuple(reason for reason in reasons if reason)


def confidence_in_words(facts: Facts) -> str:
    """Return how sure the verdict is, in words."""
    evidence = facts.evidence
    if facts.decision.label is Label.INCONCLUSIVE or evidence is None:
        return "not enough evidence to decide"
    budget = facts.budget_bytes_per_s
    slope = evidence.per_second
    half_width = max(0.5 * (slope.high - slope.low), 1e-300)
    distance = abs(budget - slope.estimate) / half_width
    strength = "very high" if distance >= 3 else "high" if distance >= 1.5 else "moderate"
    side = "below" if facts.decision.label is Label.PLATEAU else "above"
    return f"{strength}: the growth is {side} the budget by {distance:.1f} times the interval's half-width"


def _main(facts: Facts) -> str:
    if facts.evidence is None:
        return _too_little(facts)
    sentence = SENTENCES[facts.decision.cause]
    return sentence(facts, facts.evidence)


def _within_budget(facts: Facts, evidence: Evidence) -> str:
    sure = 100 * facts.settings.plateau_confidence
    most = max(facts.run.duration_s * evidence.at_most_per_second, 0.0)
    return (
        f"Memory is flat at {format_level(evidence.end_level_bytes)}: growth after warm-up comes to at "
        f"most {format_bytes(most)} over a run of {format_duration(facts.run.duration_s)} "
        f"({sure:.0f} % sure), below the budget of {_budget_over_run(facts)}."
    )


def _persists(_facts: Facts, evidence: Evidence) -> str:
    return (
        f"Memory grows by {_pace(evidence)} and does not slow down: after warm-up it gained "
        f"{format_bytes(evidence.tail_growth_bytes)} in {format_duration(evidence.tail_s)}, and the "
        f"later half kept at least {100 * evidence.keeps_pace:.0f} % of the earlier half's pace."
    )


def _slowing(_facts: Facts, evidence: Evidence) -> str:
    return (
        f"Memory is still growing, by {_pace(evidence)}, but it is still slowing down: {_halves(evidence)}. "
        "A warm-up that has not ended looks like this."
    )


def _pace_unproven(_facts: Facts, evidence: Evidence) -> str:
    return (
        f"Memory grows by {_pace(evidence)}, but the run does not show that it keeps its pace: "
        f"{_halves(evidence)}, and the noise leaves room for a warm-up that is ending."
    )


def _one_step(_facts: Facts, evidence: Evidence) -> str:
    return (
        f"Memory grew by {format_bytes(evidence.tail_growth_bytes)}, mostly in one step; "
        "a leak would go on, and the run does not show whether it does."
    )


def _slow_tail(_facts: Facts, evidence: Evidence) -> str:
    percent = 100 * evidence.tail_growth_bytes / max(evidence.level_bytes, 1.0)
    return (
        f"Memory grows by {_pace(evidence)} without slowing down, but that is only {percent:.1f} % of its "
        "level so far: healthy servers have shown a slow tail of this size that then ended."
    )


def _young(facts: Facts, evidence: Evidence) -> str:
    return (
        f"Memory grows by {_pace(evidence)} without slowing down, but was judged at only "
        f"{evidence.point_count} points: warm-up has looked like that, so a leak is called from "
        f"{facts.settings.min_climbing_points} on."
    )


def _recent(_facts: Facts, evidence: Evidence) -> str:
    return f"Memory was flat and has begun to grow: {_halves(evidence)}."


def _undecided(facts: Facts, evidence: Evidence) -> str:
    low = format_bytes(facts.run.duration_s * evidence.per_second.low)
    high = format_bytes(facts.run.duration_s * evidence.per_second.high)
    return (
        f"Growth after warm-up, over the length of this run, is between {low} and {high} (95 %), and the "
        f"budget is {_budget_over_run(facts)}: neither flat nor climbing is shown."
    )


SENTENCES: dict[Cause, Callable[[Facts, Evidence], str]] = {
    Cause.WITHIN_BUDGET: _within_budget,
    Cause.PERSISTS: _persists,
    Cause.SLOWING: _slowing,
    Cause.PACE_UNPROVEN: _pace_unproven,
    Cause.ONE_STEP: _one_step,
    Cause.SLOW_TAIL: _slow_tail,
    Cause.YOUNG: _young,
    Cause.RECENT: _recent,
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
        return f"To settle it: about {count} more connections ({wanted})."
    return f"To settle it: {wanted} of the same load."


def _slope(facts: Facts, evidence: Evidence) -> str:
    slope = _interval(evidence.per_second, 3600.0, "per hour")
    text = f"Growth after warm-up: {slope}"
    if evidence.per_connection is not None:
        text += f"; {_interval(evidence.per_connection, 1.0, 'per connection')}"
    text += f". Budget: {format_bytes(facts.budget_bytes_per_s * 3600.0)} per hour"
    text += f" ({_budget_over_run(facts)} over the run)." if facts.budget_is_relative else "."
    grows = evidence.per_second.low > 0
    if grows and evidence.follows is Follows.CONNECTIONS:
        text += " It follows the number of connections, not the time."
    elif grows and evidence.follows is Follows.TIME:
        text += " It follows the time, not the number of connections."
    return text


def _warm_up(facts: Facts, evidence: Evidence) -> str:
    if not evidence.warm_up_over:
        return "Warm-up is not over: even the last third of the run still bends."
    points = facts.points
    if evidence.first == 0:
        return "No warm-up stands out from the noise; the whole run was judged."
    tail = points.t_s[evidence.first :]
    there = evidence.level_bytes - evidence.per_second.estimate * float(tail.mean() - tail[0])
    gained = there - facts.start_bytes
    begun = facts.run.duration_s - float(points.t_s[-1] - points.t_s[evidence.first])
    when = f"{format_duration(max(begun, 0.0))} into the run"
    if points.connections is not None:
        when += f" (after {format_rounded_count(float(points.connections[evidence.first]))} connections)"
    return f"Warm-up was over {when}; memory was {format_bytes(max(gained, 0.0))} above its start."


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
    if points.bytes_per_open_connection > 0:
        worth = format_bytes(points.bytes_per_open_connection)
        text += f" Memory follows the open connections, {worth} each; that was taken out."
    return text


def _pace(evidence: Evidence) -> str:
    hourly = f"{format_bytes(evidence.per_second.estimate * 3600.0)} per hour"
    if evidence.per_connection is None or evidence.follows is Follows.TIME:
        return hourly
    return f"{format_bytes(evidence.per_connection.estimate)} per connection ({hourly})"


def _halves(evidence: Evidence) -> str:
    by_work = evidence.per_connection is not None and evidence.follows is not Follows.TIME
    factor, unit = (1.0, "per connection") if by_work else (3600.0, "per hour")
    early, late = evidence.early.estimate * factor, evidence.late.estimate * factor
    return (
        f"{format_bytes(early)} {unit} in the earlier half of the judged stretch, "
        f"{format_bytes(late)} in the later half"
    )


def _interval(slope: Estimate, factor: float, unit: str) -> str:
    low, high = format_bytes(slope.low * factor), format_bytes(slope.high * factor)
    return f"{format_bytes(slope.estimate * factor)} {unit} (95 % between {low} and {high})"


def _budget_over_run(facts: Facts) -> str:
    return format_bytes(facts.budget_bytes_per_s * facts.run.duration_s)

"""Why a series is judged as it is: facts with their units, most important first, without words."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from soak.json_values import without_nan
from soak.verdict.quantities import Unit
from soak.verdict.reason import Reason, ReasonKind
from soak.verdict.verdict import Basis, Follows, Label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from soak.analyse.decision.rule import Decision
    from soak.analyse.floors.points import Points
    from soak.analyse.floors.run import Run
    from soak.analyse.posterior import Evidence
    from soak.analyse.settings import JudgeSettings
    from soak.verdict.quantities import Quantity
    from soak.verdict.reason import Topic
    from soak.verdict.verdict import Settling

TO_BE_TOLD = 0.2
"""Log odds below which what was weighed is not worth a word,"""
MOST_TOLD = 2
"""and how many things are told for either side."""


@dataclass(frozen=True, eq=False)
class Facts:
    """Everything the reasons are made of. Levels are in the unit of the quantity."""

    quantity: Quantity
    decision: Decision
    evidence: Evidence | None
    points: Points
    run: Run
    start: float
    end: float
    peak: float
    duration_s: float
    """From the first to the last reading of the series."""
    budget_per_s: float
    budget_over_run: float
    budget_is_relative: bool
    restarts: int
    last_life: bool
    """Whether the last life of the process was judged, and not a longer one before it."""
    detectable_per_s: float
    settings: JudgeSettings
    weighed: Mapping[Topic, float]
    """What was weighed, with what it adds to the log odds of a leak."""


def reasons_of(facts: Facts) -> tuple[Reason, ...]:
    """Return the reasons, most important first; of a count only the first, and what would settle it."""
    return tuple(Reason(reason.kind, without_nan(reason.facts)) for reason in _reasons(facts))


def settling_reason(settling: Settling | None) -> Reason:
    """Return what would settle an inconclusive verdict: seconds and connections more, None where unknown."""
    return Reason(
        ReasonKind.SETTLING,
        {
            "more_seconds": None if settling is None else settling.more_seconds,
            "more_connections": None if settling is None else settling.more_connections,
        },
    )


def _reasons(facts: Facts) -> Iterator[Reason]:
    yield _main(facts)
    decision, evidence = facts.decision, facts.evidence
    is_count = facts.quantity.unit is Unit.COUNT
    undecided = decision.label is Label.INCONCLUSIVE and decision.cause is not ReasonKind.NOTHING_READ
    if undecided and (_is_known(decision.settling) or not is_count):
        yield settling_reason(decision.settling)
    if is_count:
        return
    if evidence is not None:
        yield _growth(evidence)
        yield _warm_up(facts, evidence)
        if math.isfinite(facts.detectable_per_s):
            yield _sensitivity(facts, evidence)
        yield _basis(facts, evidence)
        yield from _weighed(facts)
    if facts.restarts:
        told = {
            "restarts": facts.restarts,
            "last_life": facts.last_life,
            "judged_s": facts.run.duration_s,
        }
        yield Reason(ReasonKind.RESTARTED, told)


def _is_known(settling: Settling | None) -> bool:
    return settling is not None and settling.more_seconds is not None


def _main(facts: Facts) -> Reason:
    """Return the finding: how much there is of the quantity, how it grows, and how that compares."""
    told: dict[str, Any] = {
        "quantity": str(facts.quantity),
        "start": facts.start,
        "end": facts.end,
        "peak": facts.peak,
        "duration_s": facts.duration_s,
        "budget_over_run": facts.budget_over_run,
        "probability_climbing": facts.decision.belief,
    }
    if facts.evidence is None:
        return Reason(facts.decision.cause, told | _too_little(facts))
    return Reason(facts.decision.cause, told | _finding(facts, facts.evidence))


def _finding(facts: Facts, evidence: Evidence) -> dict[str, Any]:
    most = max(evidence.at_most_per_second, 0.0)
    return {
        "level": evidence.end_level_bytes - facts.quantity.unit.lowest_level,
        "judged_s": evidence.run_s,
        "growth": _pace(evidence),
        "growth_per_hour": asdict(evidence.per_second.scaled(3600.0)),
        "at_most_per_hour": most * 3600.0,
        "at_most_per_connection": _per_connection(evidence, most),
        "lasting_shape": evidence.lasting_shape.name.lower(),
        "ending_shapes": _ending_shapes(evidence),
        "ending_pace_over_run": max(evidence.warm_up_pace_bytes, evidence.beside_pace_bytes),
        "share_of_level": evidence.per_second.estimate * evidence.run_s / max(evidence.level_bytes, 1.0),
        "points": evidence.point_count,
        "points_to_climb": facts.settings.min_climbing_points,
        "quiet_windows": facts.points.windows,
        "quiet_windows_wanted": facts.settings.min_points,
    }


def _too_little(facts: Facts) -> dict[str, Any]:
    return {
        "judged_s": facts.run.duration_s,
        "seconds_wanted": facts.settings.min_duration_s,
        "connections": facts.run.connections,
        "connections_wanted": facts.settings.min_connections,
        "points": int(facts.points.t_s.size),
        "points_wanted": facts.settings.min_points,
        "in_quiet_windows": facts.points.basis is Basis.REST_WINDOWS,
    }


def _growth(evidence: Evidence) -> Reason:
    told = {
        "per_hour": asdict(evidence.per_second.scaled(3600.0)),
        "per_connection": None if evidence.per_connection is None else asdict(evidence.per_connection),
        "per_audio_s": None if evidence.per_audio_s is None else asdict(evidence.per_audio_s),
        "follows": str(evidence.follows) if evidence.per_second.low > 0 and evidence.follows else None,
    }
    return Reason(ReasonKind.GROWTH, told)


def _warm_up(facts: Facts, evidence: Evidence) -> Reason:
    points = facts.points
    if evidence.point_count > points.t_s.size:
        return Reason(ReasonKind.LAST_PART, {"judged_s": points.length_s})
    if evidence.first == 0 or not evidence.ending:
        return Reason(ReasonKind.NO_WARM_UP)
    begun = facts.run.duration_s - float(points.t_s[-1] - points.t_s[evidence.first])
    connections = None if points.connections is None else float(points.connections[evidence.first])
    told = {
        "gained": evidence.warm_up_gain_bytes,
        "over_after_s": max(begun, 0.0),
        "over_after_connections": connections,
        "shapes": _ending_shapes(evidence),
    }
    return Reason(ReasonKind.WARM_UP, told)


def _sensitivity(facts: Facts, evidence: Evidence) -> Reason:
    smallest, each = facts.detectable_per_s, None
    if evidence.per_connection is not None:
        rate = evidence.tail_span / max(evidence.tail_s, 1e-9)
        each = smallest / max(rate, 1e-9)
    told = {
        "per_hour": smallest * 3600.0,
        "per_connection": each,
        "budget_per_hour": facts.budget_per_s * 3600.0,
        "budget_over_run": facts.budget_over_run if facts.budget_is_relative else None,
    }
    return Reason(ReasonKind.SENSITIVITY, told)


def _basis(facts: Facts, evidence: Evidence) -> Reason:
    points = facts.points
    told = {
        "in_quiet_windows": points.basis is Basis.REST_WINDOWS,
        "points": int(points.t_s.size),
        "swings": bool(evidence.swings.shape[1]),
        "per_open_connection": points.bytes_per_open_connection,
    }
    return Reason(ReasonKind.BASIS, told)


def _weighed(facts: Facts) -> Iterator[Reason]:
    """Return what spoke most for a leak and against it, if anything did."""
    sides = {}
    for side, sign in (("for_leak", 1.0), ("against", -1.0)):
        most = sorted(
            (-sign * adds, topic) for topic, adds in facts.weighed.items() if sign * adds > TO_BE_TOLD
        )
        sides[side] = [str(topic) for _, topic in most[:MOST_TOLD]]
    if any(sides.values()):
        yield Reason(ReasonKind.EVIDENCE, sides)


def _pace(evidence: Evidence) -> dict[str, Any]:
    """Return the growth by the unit people would quote it in, and that unit: "hour", "connection", …"""
    if evidence.follows is Follows.AUDIO and evidence.per_audio_s is not None:
        return {"per": "audio_second", **asdict(evidence.per_audio_s)}
    if evidence.follows is not Follows.TIME and evidence.per_connection is not None:
        return {"per": "connection", **asdict(evidence.per_connection)}
    return {"per": "hour", **asdict(evidence.per_second.scaled(3600.0))}


def _per_connection(evidence: Evidence, per_second: float) -> float | None:
    if evidence.per_connection is None or evidence.per_second.estimate == 0:
        return None
    return per_second * evidence.per_connection.estimate / evidence.per_second.estimate


def _ending_shapes(evidence: Evidence) -> list[str]:
    """Return the shapes of growth that ends, the largest first."""
    kinds: dict[str, float] = {}
    for shape, gain in evidence.ending:
        kind = shape.kind.name.lower()
        kinds[kind] = kinds.get(kind, 0.0) + abs(gain)
    return sorted(kinds, key=lambda kind: -kinds[kind])

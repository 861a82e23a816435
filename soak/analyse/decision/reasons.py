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
    from collections.abc import Iterator

    from soak.analyse.decision.life import Judged
    from soak.analyse.floors.tail import Tail
    from soak.analyse.settings import JudgeSettings
    from soak.verdict.verdict import SeriesVerdict, Settling


@dataclass(frozen=True, eq=False)
class Facts:
    """Everything the reasons are made of. Levels are in the unit of the quantity."""

    verdict: SeriesVerdict
    """What is known of the series; its reasons are still to come."""
    judged: Judged
    tail: Tail | None
    """What came after the warm-up; None where there was too little to judge."""
    settings: JudgeSettings
    last_life: bool
    """Whether the last life of the process was judged, and not a longer one before it."""


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
    verdict, decision = facts.verdict, facts.judged.decision
    is_count = verdict.quantity.unit is Unit.COUNT
    undecided = decision.label is Label.INCONCLUSIVE and decision.cause is not ReasonKind.NOTHING_READ
    if undecided and (_is_known(decision.settling) or not is_count):
        yield settling_reason(decision.settling)
    if is_count:
        return
    if facts.tail is not None:
        yield _growth(verdict)
        yield _warm_up(facts, facts.tail)
        if math.isfinite(verdict.minimum_detectable_per_hour):
            yield _sensitivity(facts)
        yield _basis(facts)
    if verdict.restarts:
        told = {
            "restarts": verdict.restarts,
            "last_life": facts.last_life,
            "judged_s": facts.judged.run.duration_s,
        }
        yield Reason(ReasonKind.RESTARTED, told)


def _is_known(settling: Settling | None) -> bool:
    return settling is not None and settling.more_seconds is not None


def _main(facts: Facts) -> Reason:
    """Return the finding: how much there is of the quantity, how it grows, and how that compares."""
    verdict, judged = facts.verdict, facts.judged
    told: dict[str, Any] = {
        "quantity": str(verdict.quantity),
        "start": verdict.start,
        "end": verdict.end,
        "peak": verdict.peak,
        "duration_s": verdict.duration_s,
        "budget_over_run": verdict.budget_over_run,
        "probability_climbing": verdict.probability_climbing,
        "confidence": verdict.confidence,
        "readings": judged.points.readings,
        "grain": judged.grain,
    }
    if facts.tail is None:
        return Reason(judged.decision.cause, told)
    points = judged.points
    return Reason(
        judged.decision.cause,
        told
        | {
            "level": verdict.end if verdict.level is None else verdict.level,
            "judged_s": points.length_s,
            "growth": _pace(verdict),
            "growth_per_hour": asdict(verdict.growth_per_hour),
            "seen_per_hour": verdict.minimum_detectable_per_hour,
            "seen_per_connection": verdict.minimum_detectable_per_connection,
        },
    )


def _growth(verdict: SeriesVerdict) -> Reason:
    each, second = verdict.growth_per_connection, verdict.growth_per_audio_s
    told = {
        "per_hour": asdict(verdict.growth_per_hour),
        "per_connection": None if each is None else asdict(each),
        "per_audio_s": None if second is None else asdict(second),
        "confidence": verdict.confidence,
        "follows": None if verdict.follows is None else str(verdict.follows),
    }
    return Reason(ReasonKind.GROWTH, told)


def _warm_up(facts: Facts, tail: Tail) -> Reason:
    points = facts.judged.points
    if not tail.begins_late:
        return Reason(ReasonKind.NO_WARM_UP)
    begun_s = facts.judged.run.duration_s - float(points.t_s[-1] - points.t_s[tail.first])
    told = {
        "gained": float(tail.line[tail.first]) - facts.verdict.start,
        "over_after_s": max(begun_s, 0.0),
        "over_after_connections": None
        if points.connections is None
        else float(points.connections[tail.first]),
    }
    return Reason(ReasonKind.WARM_UP, told)


def _sensitivity(facts: Facts) -> Reason:
    verdict = facts.verdict
    told = {
        "per_hour": verdict.minimum_detectable_per_hour,
        "per_connection": verdict.minimum_detectable_per_connection,
        "budget_per_hour": verdict.budget_per_hour,
        "budget_over_run": verdict.budget_over_run
        if facts.settings.max_growth_bytes_per_hour is None
        else None,
    }
    return Reason(ReasonKind.SENSITIVITY, told)


def _basis(facts: Facts) -> Reason:
    points = facts.judged.points
    told = {
        "in_quiet_windows": points.basis is Basis.REST_WINDOWS,
        "quiet_windows": points.windows,
        "points": int(points.t_s.size),
        "readings": points.readings,
        "per_open_connection": points.per_open_connection,
    }
    return Reason(ReasonKind.BASIS, told)


def _pace(verdict: SeriesVerdict) -> dict[str, Any]:
    """Return the growth by the unit people would quote it in, and that unit: "hour", "connection", …"""
    if verdict.follows is Follows.AUDIO and verdict.growth_per_audio_s is not None:
        return {"per": "audio_second", **asdict(verdict.growth_per_audio_s)}
    if verdict.follows is not Follows.TIME and verdict.growth_per_connection is not None:
        return {"per": "connection", **asdict(verdict.growth_per_connection)}
    return {"per": "hour", **asdict(verdict.growth_per_hour)}

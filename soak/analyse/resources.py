"""Verdicts on what a server holds besides memory: descriptors, threads, sockets, live sessions.

The judge of memory is asked about a count instead of bytes: with rounding to one instead of a page, and
with a budget in counts. What it says is put in words here, because its own words are about bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from soak.analyse.engine import judge
from soak.analyse.points import runs
from soak.analyse.reasons import TO_SETTLE
from soak.analyse.series import LARGEST_READING, Series
from soak.analyse.settings import JudgeSettings
from soak.columns import declarations, declared
from soak.quantity import format_count, format_duration, format_number, format_rounded_count, is_known
from soak.verdict.verdict import Estimate, Follows, Label, Settling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from soak.verdict.verdict import Verdict

    Floats = NDArray[np.float64]

SESSIONS = declared("server_sessions_alive").name
"""The column of the sessions the server says it keeps; at rest there should be none."""
RESOURCE_NAMES = {each.name: each.title for each in declarations("fds", "threads", "sockets", SESSIONS)}
"""The columns that are judged, in the order they are told, with their names at the start of a sentence."""
LEFT_OVER = "Live sessions do not return to zero at rest"
FEW_RISES = "too few rises to tell growth from a few late steps"
"""The confidence where `ResourceSettings.min_rises` holds a climb back."""
A_RISE = 0.75
"""Counts; a floor higher by this is one higher. Taking out the load leaves smaller fractions."""
ABOVE_NOTHING = 1.0
"""Added to every count before it is judged: to the judge of memory a reading of zero is a gap."""


@dataclass(frozen=True)
class ResourceSettings:
    """What growth of a count is accepted, and what is asked before it is called climbing.

    Raises ValueError, in one line, for a value outside its range.
    """

    max_more: float = 2.0
    """Counts a resource may gain over the run, at least. A server opens a log, a timer or a DNS socket late,
    and a count that moves by one cannot be told from one that rounds; one descriptor kept in 50 connections
    passes it after 100."""
    max_more_share: float = 0.01
    """The same as a share of the level, where that is more: 1 % of a pool of 1,000 is ten. Memory is held
    to 0.25 %, but counts are whole, and pools of hundreds replace a few members at a time."""
    min_rises: int = 3
    """Rises in the later half of the judged floors, each to a level not left again, below which growth is not
    called climbing: a straight line fits two files opened late just as well."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not self.max_more > 0:
            raise ValueError(f"max_more must be above 0, not {self.max_more:g}")
        if not 0 <= self.max_more_share < 1:
            raise ValueError(f"max_more_share must be from 0 to below 1, not {self.max_more_share:g}")

    def accepted(self, level: float) -> float:
        """Return how many more of a resource at this level are accepted over the run."""
        return max(self.max_more, self.max_more_share * level)


@dataclass(frozen=True, eq=False)
class ResourceVerdict:
    """The judgement of one resource over a run. All levels are counts, all growths counts per unit."""

    verdict: Label
    """Plateau, climbing or inconclusive."""
    reasons: tuple[str, ...]
    """Why, in plain words with counts, most important first."""
    growth_per_hour: Estimate
    """Slope after warm-up, by time; NaN where nothing could be estimated."""
    growth_per_connection: Estimate | None
    """Slope after warm-up, by connection; None without a connection counter that moves."""
    start: int
    """First reading of the last life of the process."""
    end: int
    """Last reading of the run."""
    peak: int
    """Highest single reading of the last life."""
    accepted: float = math.nan
    """Growth over the run below which it is a plateau."""
    least_gained: float = math.nan
    """Lower end of the interval of the growth over the run."""
    settling: Settling | None = None
    """What more of the run would settle an inconclusive verdict, where that is known."""
    at_rest: int | None = None
    """Lowest reading of the last rest window; None where no rest was read."""
    follows: Follows | None = None
    """What the growth is proportional to; None when indistinguishable or when there is none."""
    confidence: str = ""
    """How sure, in words."""
    trend_line: tuple[tuple[float, float], tuple[float, float]] | None = None
    """Ends of the fitted line after warm-up, as (t_s, count), for pictures."""

    @property
    def surely_grew(self) -> bool:
        """Tell whether more was gained than is accepted, be it for good or not."""
        return self.least_gained > self.accepted


def judge_resources(
    counts: Mapping[str, Floats],
    beside: Series,
    *,
    since_s: float = -math.inf,
    settings: JudgeSettings | None = None,
    resource_settings: ResourceSettings | None = None,
) -> dict[str, ResourceVerdict]:
    """Judge every column of `counts` that is one of `RESOURCE_NAMES` and was read at least once.

    `beside` is the memory of the same process with the load at the same times, one entry per count;
    `since_s` is when its last life began: counts fall and rise with the load, so a restart is not sought in
    them. Raises ValueError, in one line, for counts that cannot be a series.
    """
    own = resource_settings or ResourceSettings()
    verdicts = {}
    for column in RESOURCE_NAMES:
        if column not in counts:
            continue
        series = _series(column, counts[column], beside, since_s)
        if series.t_s.size:
            verdicts[column] = _judge_one(column, series, settings or JudgeSettings(), own)
    return verdicts


def _series(column: str, counts: Floats, beside: Series, since_s: float) -> Series:
    """Return the readings of one count that were taken, with the load beside them.

    Some counts are read more seldom than memory; left in, the cells between would look like gaps. A negative
    count is a reading that failed.
    """
    values = np.asarray(counts, dtype=np.float64)
    if values.shape != beside.t_s.shape:
        raise ValueError(f"{column} has {values.size} readings where t_s has {beside.t_s.size}")
    kept = np.isfinite(values) & (values >= 0) & np.isfinite(beside.t_s) & (beside.t_s >= since_s)
    if kept.any() and values[kept].max() > LARGEST_READING:
        raise ValueError(f"{column} holds {values[kept].max():g}, which is no possible reading")
    return replace(beside.part(kept), rss_bytes=values[kept] + ABOVE_NOTHING, swap_bytes=None, audio_s=None)


def _judge_one(
    column: str, series: Series, settings: JudgeSettings, own: ResourceSettings
) -> ResourceVerdict:
    counts = series.rss_bytes - ABOVE_NOTHING
    duration_s = float(series.t_s[-1] - series.t_s[0])
    accepted = own.accepted(float(np.median(counts)))
    counted = replace(
        settings,
        page_bytes=1.0,
        max_growth_bytes_per_hour=accepted * 3600.0 / max(duration_s, 1.0),
        max_restarts=0,
    )
    judged = judge(series, counted)
    if judged.verdict is Label.CLIMBING and _rises(judged) < own.min_rises:
        again = Settling(duration_s, None)
        judged = replace(judged, verdict=Label.INCONCLUSIVE, settling=again, confidence=FEW_RISES)
    line = judged.trend_line
    verdict = ResourceVerdict(
        verdict=judged.verdict,
        reasons=(),
        growth_per_hour=judged.growth_bytes_per_hour,
        growth_per_connection=judged.growth_bytes_per_connection,
        start=round(counts[0]),
        end=round(counts[-1]),
        peak=round(float(counts.max())),
        accepted=accepted,
        least_gained=judged.growth_bytes_per_hour.low * judged.duration_s / 3600.0,
        settling=judged.settling,
        at_rest=_at_rest(series),
        follows=judged.follows,
        confidence=judged.confidence,
        trend_line=None if line is None else (_lowered(line[0]), _lowered(line[1])),
    )
    return replace(verdict, reasons=_reasons(column, verdict, judged))


def _lowered(point: tuple[float, float]) -> tuple[float, float]:
    return point[0], point[1] - ABOVE_NOTHING


def _rises(judged: Verdict) -> int:
    """Return how often the judged floors rose for good in their later half, by one or more each time."""
    if judged.points is None:
        return 0
    floors = judged.points.rss_bytes
    never_below = np.minimum.accumulate(floors[::-1])[::-1][floors.size // 2 :]
    rises, level = 0, float(never_below[0])
    for floor in never_below:
        if floor > level + A_RISE:
            rises, level = rises + 1, float(floor)
    return rises


def _at_rest(series: Series) -> int | None:
    """Return the lowest reading of the last rest window, or None without any."""
    if series.phase is None:
        return None
    windows = runs(series.phase == "rest")
    return round(float(series.rss_bytes[windows[-1]].min()) - ABOVE_NOTHING) if windows else None


def climbing(verdict: Verdict) -> tuple[str, ...]:
    """Return the columns of the resources that climb, in the order they are told."""
    return tuple(column for column, one in verdict.resources.items() if one.verdict is Label.CLIMBING)


def memory_label(verdict: Verdict) -> Label:
    """Return what memory by itself comes to; another resource may have outweighed it."""
    if verdict.plateau_bytes is not None:
        return Label.PLATEAU
    if verdict.verdict is not Label.CLIMBING or not climbing(verdict):
        return verdict.verdict
    return Label.CLIMBING if verdict.settling is None else Label.INCONCLUSIVE


def with_resources(
    memory: Verdict, resources: Mapping[str, ResourceVerdict], *, first_reasons: int = 0
) -> Verdict:
    """Join the verdict on memory with those on the other resources into that of the run.

    Any climbing resource makes the run climbing and is named first, but for `first_reasons` reasons that
    stay in front (the target failed). Levels, growth, plateau and settling remain those of memory; see
    `memory_label`.

    An inconclusive resource leaves the run's verdict to memory, because counts of a few move in steps, and a
    run long enough for memory need not be so for each of them. It is said, though: always beside a decided
    memory, and beside an undecided one where the count surely grew. But a plateau of memory is none of the
    run's while a count is undecided that has surely grown by more than is accepted.
    """
    joined = replace(memory, resources=dict(resources))
    climb = climbing(joined)
    undecided = [one for one in resources.values() if one.verdict is Label.INCONCLUSIVE]
    outweighs = memory.verdict is Label.PLATEAU and not climb
    growing = [one for one in undecided if outweighs and one.surely_grew]
    said = [resources[column].reasons[0] for column in climb]
    said += [reason for one in growing for reason in one.reasons[:2]]
    after = [
        one.reasons[0]
        for one in undecided
        if one not in growing and (memory.verdict is not Label.INCONCLUSIVE or one.growth_per_hour.low > 0)
    ]
    if SESSIONS in resources:
        after += [reason for reason in resources[SESSIONS].reasons[1:] if reason.startswith(LEFT_OVER)]
    own = memory.reasons
    if climb:
        own = tuple(reason.replace(TO_SETTLE, "To settle memory", 1) for reason in own)
    joined = replace(joined, reasons=(*own[:first_reasons], *said, *own[first_reasons:], *after))
    if growing:
        return replace(
            joined,
            verdict=Label.INCONCLUSIVE,
            confidence=f"memory is flat: {memory.confidence}",
            settling=growing[0].settling or Settling(None, None),
        )
    if not climb or memory.verdict is Label.CLIMBING:
        return joined
    strongest = resources[climb[0]]
    undecided_memory = memory.verdict is Label.INCONCLUSIVE
    return replace(
        joined,
        verdict=Label.CLIMBING,
        confidence=f"{RESOURCE_NAMES[climb[0]].lower()}: {strongest.confidence}",
        # present says that memory is undecided, even when nothing is known to settle it
        settling=memory.settling or (Settling(None, None) if undecided_memory else None),
    )


def _reasons(column: str, verdict: ResourceVerdict, judged: Verdict) -> tuple[str, ...]:
    name = RESOURCE_NAMES[column]
    levels = f"{format_count(verdict.start)} at the start, {format_count(verdict.end)} at the end"
    if verdict.peak > max(verdict.start, verdict.end):
        levels += f", peak {format_count(verdict.peak)}"
    main = {
        Label.CLIMBING: f"{name} climb: {growth_in_words(verdict)}, {levels}.",
        Label.PLATEAU: f"{name} do not climb: {_most_gained(verdict, judged)}; {levels}.",
        Label.INCONCLUSIVE: f"{name} are inconclusive: {_undecided(verdict, judged)}; {levels}.",
    }[verdict.verdict]
    reasons = [main]
    if judged.verdict is Label.INCONCLUSIVE:
        reasons.append(_settling(judged.settling))
    if column == SESSIONS and verdict.at_rest:
        reasons.append(
            f"{LEFT_OVER}: {format_count(verdict.at_rest)} "
            f"{'is' if verdict.at_rest == 1 else 'are'} left in the last rest window."
        )
    return tuple(reason for reason in reasons if reason)


def growth_in_words(verdict: ResourceVerdict) -> str:
    """Return the growth in the unit it follows, with its interval: ``1.00 per connection (95 % …)``."""
    growth, unit = best_growth(verdict)
    low, high = (count_rate(bound) for bound in (growth.low, growth.high))
    return f"{count_rate(growth.estimate)} {unit} (95 % between {low} and {high})"


def best_growth(verdict: ResourceVerdict) -> tuple[Estimate, str]:
    """Return the growth in the unit it follows, and that unit: ``per connection`` or ``per hour``."""
    each = verdict.growth_per_connection
    if each is not None and is_known(each.estimate) and verdict.follows is not Follows.TIME:
        return each, "per connection"
    return verdict.growth_per_hour, "per hour"


def count_rate(value: float) -> str:
    """Write a growth in counts: ``1.00``, ``0.333``, ``0.021``, ``12.5``."""
    if 0.0995 <= abs(value) < 9.995:
        return f"{value:.2f}" if abs(value) >= 0.9995 else f"{value:.3f}"
    return format_number(value)


def _most_gained(verdict: ResourceVerdict, judged: Verdict) -> str:
    most = max(verdict.growth_per_hour.high * judged.duration_s / 3600.0, 0.0)
    return (
        f"at most {count_rate(most)} more over the {format_duration(judged.duration_s)} of the run, "
        f"{format_number(verdict.accepted)} accepted"
    )


def _undecided(verdict: ResourceVerdict, judged: Verdict) -> str:
    growth = verdict.growth_per_hour
    if not is_known(growth.estimate):
        return "too few readings to fit a trend"
    low, high = (count_rate(bound * judged.duration_s / 3600.0) for bound in (growth.low, growth.high))
    return (
        f"between {low} and {high} more over the {format_duration(judged.duration_s)} of the run (95 %), "
        f"{format_number(verdict.accepted)} accepted"
    )


def _settling(settling: Settling | None) -> str:
    if settling is None or settling.more_seconds is None:
        return ""
    wanted = f"about {format_duration(max(settling.more_seconds, 1.0))} more"
    if settling.more_connections:
        count = format_rounded_count(settling.more_connections)
        return f"{TO_SETTLE}: about {count} more connections ({wanted})."
    return f"{TO_SETTLE}: {wanted} of the same load."

"""`python -m benchmarks.verdict.peeking`: what does watching a run cost, and what does stopping early gain?

Every trace is looked at as it grows, each time it is a quarter longer, and the first verdict that stands
ends the run, as `--until-decided` does: one that one, two or three looks in a row gave. A run that nothing
ended is judged at its end. Judged once at its end is the yardstick.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: the cores are taken by processes

import functools
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from benchmarks.verdict.answers import right_label
from benchmarks.verdict.judging import is_fair, prefix, with_progress
from benchmarks.verdict.layout import Section, kind, percent, percent_of, tell
from benchmarks.verdict.rates import Rate
from benchmarks.verdict.selection import Part, wanted
from soak.analyse import judge_series
from soak.analyse.sequential import Looks, LookSchedule
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.verdict.selection import Which
    from benchmarks.verdict.trace import Trace

    Judge = Callable[[float], Label]

FIRST_SHARE = 0.05
"""Share of the trace at the first look."""
GROWTH = 1.25
"""From look to look, as in `LookSchedule`."""
ONCE = 0
"""Looks to stand of a run that is judged at its end alone."""
WAYS = (ONCE, 1, 2, 3)
WATCHED = (Part.FROZEN, Part.MACHINES, Part.WORLD)
"""Parts that are watched by default."""


@dataclass(frozen=True)
class Said:
    """What one way of watching came to, on one trace."""

    part: str
    looks_to_stand: int
    """`ONCE` where it is judged at its end alone."""
    leaking: bool
    label: Label
    """What ended the run, or is said at its end."""
    at_share: float
    """Share of the trace it took."""
    stopped: bool
    """Whether a verdict ended the run before its end."""
    too_soon: bool
    """Whether a plateau ended it before the leak had added the budget of the run so far: right then."""
    ever_wrong: bool
    """Whether the wrong verdict would ever have stood, had it gone on to its end."""
    agrees: bool
    """Whether a judgement of the record as it is then says the same."""


def look_shares() -> tuple[float, ...]:
    """Return the shares of a trace at which it is looked at; the last is the whole."""
    count = int(np.log(1 / FIRST_SHARE) / np.log(GROWTH)) + 1
    early = [FIRST_SHARE * GROWTH**at for at in range(count)]
    return (*(share for share in early if share < 1.0), 1.0)


def watch_trace(trace: Trace, part: str) -> list[Said]:
    """Watch one trace in every way."""
    judged = functools.cache(lambda share: judge_series(prefix(trace.series, share)).label)
    return [watched(trace, part, looks_to_stand, judged) for looks_to_stand in WAYS]


def watched(trace: Trace, part: str, looks_to_stand: int, judged: Judge) -> Said:
    """Watch one trace in one way; `judged` gives the label of a share of it."""
    stood = [(1.0, judged(1.0))] if looks_to_stand == ONCE else _stood(looks_to_stand, judged)
    share, label = next((said for said in stood if said[1] is not Label.INCONCLUSIVE), stood[-1])
    stopped = looks_to_stand != ONCE and label is not Label.INCONCLUSIVE and share < 1.0
    if not stopped:
        share, label = 1.0, judged(1.0)
    wrong = right_label(leaking=not trace.leaking)
    fair = [(at, stands) for at, stands in stood if is_fair(trace, at)]
    return Said(
        part=part,
        looks_to_stand=looks_to_stand,
        leaking=trace.leaking,
        label=label,
        at_share=share,
        stopped=stopped,
        too_soon=label is Label.PLATEAU and not is_fair(trace, share),
        ever_wrong=any(stands is wrong for _, stands in fair),
        agrees=judge_series(prefix(trace.series, share)).label is label,
    )


def _stood(looks_to_stand: int, judged: Judge) -> list[tuple[float, Label]]:
    """Return what stands after each look; the time is told in shares of the trace."""
    looks = Looks(LookSchedule(growth=GROWTH, looks_to_stand=looks_to_stand))
    return [(share, looks.take(share, judged(share))) for share in look_shares() if looks.due(share)]


def watch(which: Which) -> list[Said]:
    """Make or read a trace and watch it in every way."""
    return watch_trace(which.get(), str(which.part))


def sections(said: Sequence[Said]) -> list[Section]:
    """Lay out how often each way was right, and how soon, a table for each part and truth."""
    return [
        _section([each for each in said if each.part == part and each.leaking is leaking], part, leaking)
        for part in dict.fromkeys(each.part for each in said)
        for leaking in (False, True)
    ]


def _section(said: Sequence[Said], part: str, leaking: bool) -> Section:
    wrong = right_label(leaking=not leaking)
    header = (
        "looks that must agree", "right", f"ended as {wrong}", f"{wrong} ever stood", "undecided",
        "median share when ended", "ended runs that the record bears out",
        "ended before the leak added a budget",
    )  # fmt: skip
    rows = tuple(
        (
            "judged once, at the end" if way == ONCE else str(way),
            *_cells([s for s in said if s.looks_to_stand == way]),
        )
        for way in WAYS
    )
    traces = sum(each.looks_to_stand == ONCE for each in said)
    note = (
        f"{traces} traces, each looked at from {percent(FIRST_SHARE)} % of it on, whenever it has grown by "
        f"{percent(GROWTH - 1)} %. In per cent. The default budget is a share of the level over the run "
        "so far: a plateau that is said before a leak has added so much is right, and told apart."
    )
    return Section(f"Watched, {part}: {kind(leaking=leaking)}", note, header, rows)


def _cells(said: Sequence[Said]) -> tuple[str, ...]:
    ended = [each for each in said if each.stopped]
    right = [each.label is right_label(leaking=each.leaking) for each in said]
    wrong = [each.label is right_label(leaking=not each.leaking) and not each.too_soon for each in said]
    shares = [each.at_share for each in ended]
    return (
        percent_of(Rate.of(right)),
        percent_of(Rate.of(wrong)),
        percent_of(Rate.of(each.ever_wrong for each in said)),
        percent_of(Rate.of(each.label is Label.INCONCLUSIVE for each in said)),
        percent(float(np.median(shares)) if shares else float("nan")),
        percent(Rate.of(each.agrees for each in ended).share),
        percent(Rate.of(each.too_soon for each in said).share),
    )


def measured(part: Part, jobs: int, count: int | None = None) -> list[Said]:
    """Watch the traces of a part."""
    return with_progress(watch, wanted(part, count=count), workers=jobs, what=f"{part}, watched")


def main(
    part: Annotated[
        list[Part] | None,
        typer.Option(help=f"Which traces; may be given again. {', '.join(WATCHED)} by default."),
    ] = None,
    count: Annotated[int | None, typer.Option(help="As of benchmarks.verdict.", min=1)] = None,
    jobs: Annotated[int, typer.Option(help="Processes.", min=1)] = len(os.sched_getaffinity(0)),
    markdown: Annotated[
        Path | None, typer.Option(help="Also write the tables to this file.", metavar="FILE")
    ] = None,
) -> None:
    """Watch traces as they grow; print how often each way of watching is wrong, and how soon it ends."""
    said = [each for one in part or WATCHED for each in measured(one, jobs, count)]
    laid = sections(said)
    tell(laid, "benchmarks.verdict.peeking", markdown)


if __name__ == "__main__":
    typer.run(main)

"""`python -m benchmarks.verdict.settling`: of runs told "n more", do half settle within n?

Traces are cut short and judged. One that is undecided there is told how much more would settle it; it is then
followed on, to n and to twice n, where the trace goes on for so long.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: the cores are taken by processes

import math
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from benchmarks.verdict.answers import right_label
from benchmarks.verdict.judging import prefix, with_progress
from benchmarks.verdict.layout import Section, percent, percent_of, tell
from benchmarks.verdict.rates import Rate
from benchmarks.verdict.selection import Part, wanted
from soak.analyse import judge_series
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.verdict.selection import Which
    from benchmarks.verdict.trace import Trace
    from soak.verdict.verdict import SeriesVerdict

    Judge = Callable[[float], SeriesVerdict]

CUTS = (0.1, 0.2, 0.3, 0.4, 0.5)
"""Shares of a trace at which it is asked how much more would settle it."""
LOOKS = 4
"""Looks to each n: a run may be decided in between, and not be at the end of it."""
FORESEEN = 2.0
"""Traces are followed to so many times n."""


@dataclass(frozen=True)
class Told:
    """One run that was told how much more would settle it."""

    leaking: bool
    cut: float
    """Share of the trace at which it was told."""
    more: float
    """What it was told, in lengths of the run so far."""
    settled_at: float | None
    """When the first look decided it, in n; None where none did."""
    followed: float
    """How far the trace goes on, in n, at most `FORESEEN`."""
    right: bool
    """Whether what decided it is right; False where nothing did."""

    def within(self, times: float) -> bool | None:
        """Tell whether it settled within so many n; None where the trace ends before."""
        if self.followed < times:
            return None
        return self.settled_at is not None and self.settled_at <= times


def ask_trace(trace: Trace, judged: Judge | None = None) -> list[Told]:
    """Cut one trace at every share, and follow on what is told there."""

    def judge(share: float) -> SeriesVerdict:
        return judge_series(prefix(trace.series, share))

    return [told for cut in CUTS for told in _told(trace, cut, judged or judge)]


def _told(trace: Trace, cut: float, judged: Judge) -> list[Told]:
    if trace.leaking and trace.onset_share >= cut:
        return []  # what it will be told then is of another run
    verdict = judged(cut)
    more_s = None if verdict.settling is None else verdict.settling.more_seconds
    if verdict.label is not Label.INCONCLUSIVE or more_s is None or not 0 < more_s < math.inf:
        return []
    stamped = trace.series.t_s[np.isfinite(trace.series.t_s)]
    more = more_s / float(stamped[-1] - stamped[0])
    followed = min((1.0 - cut) / more * (1 + 1e-9), FORESEEN)
    settled_at, label = None, Label.INCONCLUSIVE
    for look in range(1, round(FORESEEN * LOOKS) + 1):
        at = look / LOOKS
        if at > followed:
            break
        label = judged(min(1.0, cut + at * more)).label
        if label is not Label.INCONCLUSIVE:
            settled_at = at
            break
    right = label is right_label(leaking=trace.leaking)
    return [Told(trace.leaking, cut, more / cut, settled_at, followed, right)]


def follow(which: Which) -> list[Told]:
    """Make or read a trace, and follow on what is told of its beginnings."""
    return ask_trace(which.get())


def settled_of_all(told: Sequence[Told], times: float) -> float:
    """Return the share that settles within so many n, those counted too whose trace ends before.

    Kaplan and Meier's estimate (Journal of the American Statistical Association 53, 1958): a run may settle
    for as long as it is followed. NaN of none.
    """
    if not told:
        return math.nan
    unsettled = 1.0
    for at in sorted({each.settled_at for each in told if each.settled_at is not None}):
        if at > times:
            break
        at_risk = sum((each.settled_at or each.followed) >= at for each in told)
        unsettled *= 1.0 - sum(each.settled_at == at for each in told) / at_risk
    return 1.0 - unsettled


def section(told: Sequence[Told], part: str) -> Section:
    """Lay out how many settled within n, by what they are and by where they were cut."""
    chosen: list[tuple[str, Sequence[Told]]] = [
        ("all", told),
        ("leak", [each for each in told if each.leaking]),
        ("healthy", [each for each in told if not each.leaking]),
        *((f"cut at {100 * cut:.0f} %", [each for each in told if each.cut == cut]) for cut in CUTS),
        ("told less than as much again", [each for each in told if each.more < 1]),
        ("told as much again or more", [each for each in told if each.more >= 1]),
    ]
    note = (
        "Runs that are undecided where they are cut, and are told how much more would settle them: n. In per "
        'cent of those whose trace goes on for so long; the goal is 50 within n; "of '
        'all" counts those that end before, too, for as long as they are followed (Kaplan and Meier). '
        "Cuts before a leak has begun are left out."
    )
    header = ("runs", "told", "followed to n", "settled within n", "of all", "followed to 2 n",
              "settled within 2 n", "right of settled", "median n, in lengths so far")  # fmt: skip
    return Section(f"Settling, {part}", note, header, tuple((name, *_cells(of)) for name, of in chosen))


def _cells(told: Sequence[Told]) -> tuple[str, ...]:
    once, twice = _settled(told, 1.0), _settled(told, FORESEEN)
    settled = [each for each in told if each.settled_at is not None]
    median = float(np.median([each.more for each in told])) if told else math.nan
    return (
        str(len(told)),
        str(once.whole),
        percent_of(once),
        percent(settled_of_all(told, 1.0)),
        str(twice.whole),
        percent_of(twice),
        percent_of(Rate.of(each.right for each in settled)),
        "–" if math.isnan(median) else f"{median:.2f}",
    )


def _settled(told: Sequence[Told], times: float) -> Rate:
    known = [each.within(times) for each in told]
    return Rate.of(within for within in known if within is not None)


def measured(part: Part, jobs: int, count: int | None = None) -> list[Told]:
    """Follow the traces of a part."""
    return with_progress(follow, wanted(part, count=count), workers=jobs, what=f"{part}, settling")


def main(
    part: Annotated[Part, typer.Option(help="Which traces.")] = Part.FROZEN,
    count: Annotated[int | None, typer.Option(help="As of benchmarks.verdict.", min=1)] = None,
    jobs: Annotated[int, typer.Option(help="Processes.", min=1)] = len(os.sched_getaffinity(0)),
    markdown: Annotated[
        Path | None, typer.Option(help="Also write the table to this file.", metavar="FILE")
    ] = None,
) -> None:
    """Cut traces short, and see whether what would settle them does."""
    laid = [section(measured(part, jobs, count), str(part))]
    tell(laid, "benchmarks.verdict.settling", markdown)


if __name__ == "__main__":
    typer.run(main)

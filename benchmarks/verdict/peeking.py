"""`python -m benchmarks.verdict.peeking`: what does watching a run cost, and what does stopping early gain?

Every trace is watched as it grows, by several ways of watching; the first verdict that stands is the last.
Asked once at its end is the yardstick. A leak that has not begun yet cannot be seen, so stopping before it
begins is counted apart.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: the cores are taken by processes

import functools
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.verdict.judging import in_parallel, prefix
from benchmarks.verdict.selection import Part, Which, wanted
from benchmarks.verdict.trace import FAMILIES
from soak.analyse import JudgeSettings, Label, judge
from soak.analyse.sequential import Horizon, LookSchedule, SequentialJudge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks.verdict.trace import Trace

PEEKS = 20
"""Times the plain judge is asked, evenly over the trace."""
OFFERS = 40
"""Times the sequential rule is offered the trace; it takes few of them."""
DEFAULT_COUNT = 4
WIDTH = 150


@dataclass(frozen=True)
class Said:
    """What one way of watching came to, on one trace."""

    way: str
    trace: str
    family: str
    leaking: bool
    label: Label
    """What it stopped on, or said at the end."""
    at_share: float
    """Share of the trace it took."""
    before_onset: bool
    """Whether it stopped before the leak began."""
    ever_wrong: bool
    """Whether it would ever have said the wrong thing had it gone on to the end."""


Word = tuple[float, Label]
"""A share of the trace, and what stands there."""


def asked_once(trace: Trace) -> list[Word]:
    """Ask at the end only."""
    return [(1.0, judge(trace.series).verdict)]


def peeked(trace: Trace, *, in_a_row: int) -> list[Word]:
    """Ask the plain judge again and again; what it says so many times in a row stands."""
    labels = [judge(prefix(trace.series, share)).verdict for share in _shares(PEEKS)]
    return [
        (share, label if len(set(labels[max(0, at + 1 - in_a_row) : at + 1])) == 1 else Label.INCONCLUSIVE)
        for at, (share, label) in enumerate(zip(_shares(PEEKS), labels, strict=True))
        if at + 1 >= in_a_row
    ]


def watched(trace: Trace, *, schedule: LookSchedule, with_end: bool = True, spend: bool = True) -> list[Word]:
    """Watch by the sequential rule; without `spend` every look has the whole error to itself."""
    stamped = trace.series.t_s[np.isfinite(trace.series.t_s)]
    horizon = Horizon(float(stamped[-1] - stamped[0])) if with_end else Horizon()
    confidences = JudgeSettings()

    def whole_error(series: object, settings: JudgeSettings) -> object:
        plain = replace(
            settings,
            plateau_confidence=confidences.plateau_confidence,
            climbing_confidence=confidences.climbing_confidence,
        )
        return judge(series, plain)  # type: ignore[arg-type]  # a Series, passed through

    rule = SequentialJudge(
        horizon=horizon,
        schedule=schedule,
        judge_once=judge if spend else whole_error,  # type: ignore[arg-type]  # the same signature
    )
    said = []
    for share in _shares(OFFERS)[:-1]:
        look = rule.offer(prefix(trace.series, share))
        if look is not None:
            said.append((share, look.standing))
    said.append((1.0, rule.conclude(trace.series).standing))
    return said


WAYS: dict[str, Callable[[Trace], list[Word]]] = {
    "asked once, at the end": asked_once,
    f"plain, {PEEKS} peeks": functools.partial(peeked, in_a_row=1),
    f"plain, {PEEKS} peeks, two in a row": functools.partial(peeked, in_a_row=2),
    "looks, nothing spent": functools.partial(watched, schedule=LookSchedule(), spend=False),
    "looks, one stands": functools.partial(watched, schedule=LookSchedule(looks_to_stand=1)),
    "looks (in use)": functools.partial(watched, schedule=LookSchedule()),
    "looks, three in a row": functools.partial(watched, schedule=LookSchedule(looks_to_stand=3)),
    "looks, no end planned": functools.partial(watched, schedule=LookSchedule(), with_end=False),
}
"""Every way of watching, by the name the table gives it."""


def watch(which: Which) -> list[Said]:
    """Watch one trace in every way."""
    trace = which.get()
    wrong = Label.PLATEAU if trace.leaking else Label.CLIMBING
    found = []
    for way, follow in WAYS.items():
        words = follow(trace)
        share, label = next((word for word in words if word[1] is not Label.INCONCLUSIVE), words[-1])
        found.append(
            Said(
                way=way,
                trace=trace.name,
                family=trace.family,
                leaking=trace.leaking,
                label=label,
                at_share=share,
                before_onset=trace.leaking and label is Label.PLATEAU and share <= trace.onset_share,
                ever_wrong=any(
                    stands is wrong and (not trace.leaking or at > trace.onset_share) for at, stands in words
                ),
            )
        )
    return found


def table_of(said: Sequence[Said], *, leaking: bool) -> Table:
    """Lay out how often each way was right, and how soon, on the healthy traces or on the leaks."""
    wrong = "climbing" if not leaking else "plateau"
    title = "Leaks" if leaking else "Healthy"
    table = Table(title=f"{title}: what stands first is believed, and ends the run", title_justify="left")
    table.add_column("way of watching")
    columns = ["right %", f"{wrong} %", f"ever {wrong} %", "undecided %", "median share needed"]
    for column in [*columns, "ended before it began %"] if leaking else columns:
        table.add_column(column, justify="right")
    for way in WAYS:
        its = [each for each in said if each.way == way and each.leaking is leaking]
        table.add_row(way, *_cells(its), *([_percent(each.before_onset for each in its)] if leaking else []))
    return table


def _cells(said: Sequence[Said]) -> list[str]:
    def is_right(each: Said) -> bool:
        return each.label is (Label.CLIMBING if each.leaking else Label.PLATEAU)

    undecided = [each.label is Label.INCONCLUSIVE for each in said]
    wrong = [
        not is_right(each) and each.label is not Label.INCONCLUSIVE and not each.before_onset for each in said
    ]
    shares = [each.at_share for each in said if is_right(each)]
    return [
        _percent(map(is_right, said)),
        _percent(wrong),
        _percent(each.ever_wrong for each in said),
        _percent(undecided),
        f"{float(np.median(shares)):.2f}" if shares else "-",
    ]


def _percent(holds: Iterable[bool]) -> str:
    each = list(holds)
    return f"{100 * sum(each) / len(each):.1f}" if each else "-"


def _shares(count: int) -> list[float]:
    return [(at + 1) / count for at in range(count)]


def main(
    part: Annotated[Part, typer.Option(help="Which traces.")] = Part.TUNING,
    family: Annotated[
        list[str] | None, typer.Option(help="Only this family; may be given again.", metavar="NAME")
    ] = None,
    count: Annotated[int, typer.Option(help="Traces per family.", min=1)] = DEFAULT_COUNT,
    jobs: Annotated[int, typer.Option(help="Processes.", min=1)] = len(os.sched_getaffinity(0)),
    *,
    by_family: Annotated[
        bool, typer.Option("--by-family", help="Also list the families the rule in use is wrong on.")
    ] = False,
) -> None:
    """Watch traces as they grow; print how often each way of watching is wrong, and how soon right."""
    traces = wanted(part, tuple(family or FAMILIES), count)
    said: list[Said] = []
    for found in in_parallel(watch, traces, workers=jobs):
        said += found
    terminal = Console()
    console = terminal if terminal.is_terminal else Console(width=WIDTH)
    leaks = len({each.trace for each in said if each.leaking})
    console.print(f"{len(traces)} traces, {leaks} with a leak ({part.value} part)")
    console.print(table_of(said, leaking=False))
    console.print(table_of(said, leaking=True))
    if by_family:
        for way in WAYS:
            families = Counter(each.family for each in said if each.way == way and each.ever_wrong)
            console.print(f"{way}: ever wrong on {dict(families)}")


if __name__ == "__main__":
    typer.run(main)

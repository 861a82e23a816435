"""`python -m benchmarks.verdict.peeking`: what does watching a run cost, and what does stopping early gain?

Every trace is watched as it grows, by several ways of watching; the first verdict that stands is the last.
Asked once at its end is the yardstick. A leak that has not begun yet cannot be seen, so stopping before it
begins is counted apart. "Plain" is the judge as it is, at every peek; "looks" asks only when the trace has
grown by a quarter, with the budget of the whole; "spending" also shares the error among the looks.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: the cores are taken by processes

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
from soak.analyse import JudgeSettings, judge_series
from soak.analyse.sequential import Horizon, SequentialJudge
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from benchmarks.verdict.trace import Trace
    from soak.analyse import Series
    from soak.verdict.verdict import SeriesVerdict

PEEKS = 20
"""Times a growing trace is shown, evenly over its length. The plain judge answers each time; the sequential
rule takes a look only when one is due."""
DEFAULT_COUNT = 2
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
"""A share of the trace, and what is said there."""


def plain(trace: Trace) -> list[Word]:
    """Ask the plain judge at every peek."""
    return [(share, judge_series(prefix(trace.series, share)).label) for share in _shares()]


def spending(trace: Trace) -> list[Word]:
    """Ask by the sequential rule: each look has its share of the error, and the budget of the whole trace."""
    return _looks(trace, judge_series)


def not_spending(trace: Trace) -> list[Word]:
    """Ask at the same looks with the same budget, but give every look the whole error."""

    def whole_error(series: Series, settings: JudgeSettings) -> SeriesVerdict:
        once = JudgeSettings()
        plain_settings = replace(
            settings,
            plateau_confidence=once.plateau_confidence,
            climbing_confidence=once.climbing_confidence,
        )
        return judge_series(series, plain_settings)

    return _looks(trace, whole_error)


def _looks(trace: Trace, judge_once: Callable[[Series, JudgeSettings], SeriesVerdict]) -> list[Word]:
    stamped = trace.series.t_s[np.isfinite(trace.series.t_s)]
    rule = SequentialJudge(horizon=Horizon(float(stamped[-1] - stamped[0])), judge_once=judge_once)
    said = []
    for share in _shares()[:-1]:
        look = rule.offer(prefix(trace.series, share))
        if look is not None:
            said.append((share, look.verdict.label))
    said.append((1.0, rule.conclude(trace.series).verdict.label))
    return said


def standing(words: Sequence[Word], *, in_a_row: int) -> list[Word]:
    """Return what stands after each word: what so many said in a row, or the last one said at the end."""
    labels = [label for _, label in words]
    stood = []
    for at, (share, label) in enumerate(words):
        agree = at + 1 >= in_a_row and len(set(labels[at + 1 - in_a_row : at + 1])) == 1
        stood.append((share, label if agree or share >= 1.0 else Label.INCONCLUSIVE))
    return stood


def _ways(trace: Trace) -> Iterator[tuple[str, list[Word]]]:
    """Watch one trace in every way; give its name and what stood."""
    peeked = plain(trace)
    yield ASKED_ONCE, peeked[-1:]
    for kind, words in (("plain", peeked), ("looks", not_spending(trace)), ("spending", spending(trace))):
        for in_a_row, how in HOW_OFTEN.items():
            yield f"{kind}, {how}", standing(words, in_a_row=in_a_row)


ASKED_ONCE = "plain, asked once, at the end"
HOW_OFTEN = {1: "one stands", 2: "two in a row", 3: "three in a row"}
"""How many of the same word it takes."""


def watch(which: Which) -> list[Said]:
    """Watch one trace in every way."""
    trace = which.get()
    wrong = Label.PLATEAU if trace.leaking else Label.CLIMBING
    found = []
    for way, words in _ways(trace):
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
    for way in dict.fromkeys(each.way for each in said):
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


def _shares() -> list[float]:
    return [(at + 1) / PEEKS for at in range(PEEKS)]


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
        for way in dict.fromkeys(each.way for each in said):
            families = Counter(each.family for each in said if each.way == way and each.ever_wrong)
            console.print(f"{way}: ever wrong on {dict(families)}")


if __name__ == "__main__":
    typer.run(main)

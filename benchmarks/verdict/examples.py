"""What weights are fitted to: the figures of made traces, of their beginnings, and under other budgets."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.verdict.judging import prefix, with_progress
from benchmarks.verdict.trace import FAMILIES, make_trace
from soak.analyse import JudgeSettings
from soak.analyse.budget import budget_per_second
from soak.analyse.decision.rule import check_minimum
from soak.analyse.engine import life_to_judge
from soak.analyse.floors.lives import read, split_lives
from soak.analyse.floors.points import floors
from soak.analyse.floors.run import run_of
from soak.analyse.posterior.posterior import weigh

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.verdict.trace import Trace
    from soak.analyse import Series
    from soak.analyse.posterior.posterior import Weighable

DEFAULT_COUNT = 40
"""Tuning traces per family that weights are fitted to."""
SHORTEST_BEGINNING = 0.1
"""The shortest beginning of a trace that is shown, and the least of a leak that is seen after its onset."""
BUDGET_FACTORS = (0.2, 20.0)
"""Other budgets are log-uniform between these many times the default one."""
CLEARLY = 2.0
"""A leak is larger than a budget, or smaller, when it is so by this factor; in between it is not shown."""


@dataclass(frozen=True)
class Example:
    """One thing to learn from."""

    name: str
    """Of the trace, with what was done to it."""
    family: str
    whole: bool
    """Whether it is a whole trace, judged as it is scored."""
    leaking: bool
    """Whether growth beyond the budget goes on."""
    figures: dict[str, float]


def examples(family: str, index: int) -> list[Example]:
    """Make up to three examples of one tuning trace: all of it, a beginning, and a beginning and a budget.

    A beginning is labelled as its trace; where the budget is another, by what the leak adds in it.
    """
    trace = make_trace("tuning", family, index)
    rng = np.random.default_rng([zlib.crc32(family.encode()), index])
    found = [_example(trace, 1.0, JudgeSettings(), leaking=trace.leaking)]
    share = float(rng.uniform(SHORTEST_BEGINNING, 1.0))
    if share > trace.onset_share + SHORTEST_BEGINNING:
        found.append(_example(trace, share, JudgeSettings(), leaking=trace.leaking))
    share = float(rng.uniform(3 * SHORTEST_BEGINNING, 1.0))
    low, high = np.log(BUDGET_FACTORS)
    factor = float(np.exp(rng.uniform(low, high)))
    settings = JudgeSettings(relative_budget=factor * JudgeSettings().relative_budget)
    if share > trace.onset_share + SHORTEST_BEGINNING:
        found.append(_example(trace, share, settings, leaking=None))
    return [example for example in found if example is not None]


def collect(count: int, jobs: int, kept: Path | None = None) -> list[Example]:
    """Make the examples of the first `count` traces of every family, on that many processes.

    Where the file `kept` is there they are read from it instead, else written to it.
    """
    if kept is not None and kept.exists():
        lines = kept.read_text(encoding="utf-8").splitlines()
        return [Example(**json.loads(line)) for line in lines]
    wanted = [(family, index) for index in range(count) for family in FAMILIES]
    found = with_progress(_examples_of, wanted, workers=jobs, what="examples, tuning part")
    ordered = sorted(found, key=lambda example: (example.family, example.name))
    if kept is not None:
        kept.write_text("".join(f"{json.dumps(asdict(example))}\n" for example in ordered), encoding="utf-8")
    return ordered


def _examples_of(named: tuple[str, int]) -> list[Example]:
    return examples(*named)


def _example(trace: Trace, share: float, settings: JudgeSettings, *, leaking: bool | None) -> Example | None:
    series = prefix(trace.series, share)
    found = _weighed(series, settings)
    if found is None:
        return None
    if leaking is None:
        hours = share * float(np.nanmax(trace.series.t_s) - np.nanmin(trace.series.t_s)) / 3600.0
        # a leak that starts late has its growth per hour from its onset on
        grown = trace.growth_bytes_per_hour * hours * (1.0 - trace.onset_share / share)
        if trace.leaking and found.budget_bytes / CLEARLY < grown < found.budget_bytes * CLEARLY:
            return None
        leaking = trace.leaking and grown > found.budget_bytes
    name = f"{trace.name} {share:.3f} {settings.relative_budget:.5f}"
    return Example(name, trace.family, share == 1.0, leaking, found.figures)


def _weighed(series: Series, settings: JudgeSettings) -> Weighable | None:
    lives = split_lives(read(series), settings)
    life = life_to_judge(lives, settings)
    run, points = run_of(life), floors(life, settings)
    if check_minimum(points, run, settings) is not None:
        return None
    budget_per_s = budget_per_second(points.level_bytes, run.duration_s, settings)
    return weigh(points, budget_per_s, settings, restarted=len(lives) > 1)

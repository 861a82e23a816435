"""What each part of the judge beside its network is worth: scored with and without it.

    python -m benchmarks.verdict.ablation

Every part is left out in turn, on the frozen set, on machine histories and on the recorded runs. A part that
costs nothing when it is left out has no place in the judge.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from unittest.mock import patch

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.verdict.frozen import frozen_machines, frozen_traces
from benchmarks.verdict.recorded import read_recorded, recorded_names
from soak.analyse import JudgeSettings, judge_series
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.verdict.trace import Trace
    from soak.analyse import Series


def _as_it_is(series: Series) -> Series:
    return series


@dataclass(frozen=True)
class Without:
    """One part left out."""

    part: str
    changed: Callable[[Series], Series] = _as_it_is
    settings: JudgeSettings | None = None
    patched: Callable[[], AbstractContextManager[object]] = nullcontext


def _least(_values: object, least: float) -> float:
    return least


ABLATIONS = (
    Without("nothing"),
    Without("quiet readings first", lambda series: replace(series, phase=None)),
    Without("what open connections weigh", lambda series: replace(series, open_connections=None)),
    Without("connections as an axis", lambda series: replace(series, connections_completed=None)),
    Without("lives between restarts", settings=JudgeSettings(max_restarts=0)),
    Without(
        "the grain found in the readings",
        patched=partial(patch, "soak.analyse.decision.life.grain_of", _least),
    ),
)


@dataclass
class Score:
    """How often it was right."""

    decided: int = 0
    right: int = 0
    traces: int = 0

    def take(self, label: Label, *, leaking: bool) -> None:
        """Count one answer."""
        self.traces += 1
        if label is not Label.INCONCLUSIVE:
            self.decided += 1
            self.right += (label is Label.CLIMBING) == leaking

    def in_words(self) -> str:
        """Return right of decided, and the share that is inconclusive."""
        right = self.right / self.decided if self.decided else float("nan")
        return f"{right:.1%} right, {1 - self.decided / self.traces:.1%} undecided"


def score(without: Without, traces: list[Trace], what: str) -> Score:
    """Judge every trace without this part."""
    found = Score()
    with without.patched():
        for trace in track(traces, what, transient=True):
            verdict = judge_series(without.changed(trace.series), without.settings)
            found.take(verdict.label, leaking=trace.leaking)
    return found


def main() -> None:
    """Score and print."""
    sets = {
        "frozen": frozen_traces(),
        "machines": frozen_machines(),
        "recorded": [read_recorded(name) for name in recorded_names()],
    }
    table = Table("left out", *sets)
    for without in ABLATIONS:
        scores = [score(without, traces, f"{without.part}, {name}") for name, traces in sets.items()]
        table.add_row(without.part, *(each.in_words() for each in scores))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()

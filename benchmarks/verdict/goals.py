"""What soak is held against, part by part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.verdict.intervals import coverage
from benchmarks.verdict.scoring import of_halves, score

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.verdict.answers import Answer

    Measure = Callable[[Sequence[Answer]], float]

ALL_RIGHT = 1.0
"""Of what is decided of recorded servers."""
MOST_INCONCLUSIVE = {"frozen": 0.2, "test": 0.2, "tuning": 0.2, "world": 0.2, "machines": 0.35, "real": 0.4}
"""By part; heap in use, which memory kept by an allocator does not blur, is held to less."""
MOST_INCONCLUSIVE_HEAPS = 0.05


@dataclass(frozen=True)
class Goal:
    """One number and the bounds it should lie in; `low` or `high` may be absent."""

    what: str
    measure: Measure
    unit: str
    """"%" for shares, else what is written behind the number."""
    low: float | None = None
    high: float | None = None

    def off_by(self, value: float) -> float:
        """Return how far outside the bounds a value is; 0 inside them, and of NaN."""
        if self.low is not None and value < self.low:
            return self.low - value
        if self.high is not None and value > self.high:
            return value - self.high
        return 0.0


def goals_of(part: str) -> tuple[Goal, ...]:
    """Return the goals of a part."""
    right = ALL_RIGHT if part in ("real", "real-heaps") else 0.99
    inconclusive = MOST_INCONCLUSIVE.get(part, MOST_INCONCLUSIVE_HEAPS)
    return (
        Goal("contradictions", lambda answers: float(score(answers).contradicted.part), "", high=0.0),
        Goal("right of decided", lambda answers: score(answers).right_of_decided.share, "%", low=right),
        Goal("false alarms", lambda answers: score(answers).false_alarms.share, "%", high=0.005),
        Goal("missed", lambda answers: score(answers).missed.share, "%", high=0.015),
        Goal("inconclusive", lambda answers: score(answers).inconclusive.share, "%", high=inconclusive),
        Goal(
            "95 % intervals that hold the truth, leaks",
            lambda answers: coverage(answers, leaking=True).share,
            "%",
            low=0.93,
            high=0.98,
        ),
        Goal(
            "95 % intervals that hold the truth, healthy",
            lambda answers: coverage(answers, leaking=False).share,
            "%",
            low=0.93,
            high=0.98,
        ),
        Goal(
            "first halves, right of decided",
            lambda answers: score(of_halves(answers)).right_of_decided.share,
            "%",
            low=0.95,
        ),
        Goal("CPU per judgement", lambda answers: score(answers).cpu_ms, "ms", high=15.0),
    )

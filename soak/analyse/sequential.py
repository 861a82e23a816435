"""When a growing run is looked at, and when what looks say stands.

A verdict is given from a probability on, and a probability does not care how often one has looked: of the
verdicts that are given at a confidence of 90 %, nine in ten are right at whatever moment one stops, as far
as the world that the posterior was learned from is like the one outside (Edwards, Lindman and Savage,
"Bayesian statistical inference for psychological research", Psychological Review 70, 1963). What it costs
to believe the first look all the same is measured on traces of that world and of another hand
(`python -m benchmarks.verdict.peeking`): a warm-up may look like a leak twice as long as it lasts. So a
verdict stands only when looks in a row gave it.
"""

from __future__ import annotations

from dataclasses import dataclass

from soak.verdict.verdict import Label


@dataclass(frozen=True)
class LookSchedule:
    """When a growing run is looked at, and what must agree before a verdict stands."""

    growth: float = 1.25
    """A look is taken each time the run has grown by this factor. The information in a slope grows with the
    third power of the run's length, so it doubles from look to look; a look sooner would see little new."""
    looks_to_stand: int = 2
    """Looks in a row that must give the same verdict before it stands."""

    def __post_init__(self) -> None:
        """Check the ranges; raises ValueError in one line."""
        if not self.growth > 1:
            raise ValueError(f"growth must be above 1, not {self.growth:g}")
        if self.looks_to_stand < 1:
            raise ValueError(f"looks_to_stand must be at least 1, not {self.looks_to_stand}")


class Looks:
    """Counts the looks at one run: when the next is due, and what stands."""

    def __init__(self, schedule: LookSchedule | None = None) -> None:
        """Begin a run."""
        self._schedule = schedule or LookSchedule()
        self._due_at = 0.0
        self._agreeing = 0
        self._label = Label.INCONCLUSIVE
        self.taken = 0
        """Looks so far."""

    @property
    def standing(self) -> Label:
        """What stands after the last look: its label if enough looks in a row gave it, else inconclusive."""
        stands = self._agreeing >= self._schedule.looks_to_stand
        return self._label if stands else Label.INCONCLUSIVE

    def due(self, elapsed_s: float) -> bool:
        """Tell whether a run of this length is to be looked at."""
        return elapsed_s > 0 and elapsed_s >= self._due_at * (1.0 - 1e-9)

    def take(self, elapsed_s: float, label: Label) -> Label:
        """Take note of what a look at a run of this length says; return what stands now."""
        self.taken += 1
        self._due_at = elapsed_s * self._schedule.growth
        self._agreeing = self._agreeing + 1 if label is self._label else 1
        self._label = label
        return self.standing

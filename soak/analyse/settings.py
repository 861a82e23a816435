"""What the judge is asked: how sure it must be, what growth is accepted, and what a restart looks like."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class JudgeSettings:
    """How the judge decides. "Catalogue" is the collection of public reports the project started from.

    Raises ValueError, in one line, for a value outside its range.
    """

    confidence: float = 0.9
    """Probability from which a verdict is given: climbing when growth exceeds the budget with it, plateau
    when growth stays within the budget with it. The bounds of every growth are one-sided at the same."""
    max_growth_bytes_per_hour: float | None = None
    """Budget in bytes per hour; None takes the relative budget below."""
    relative_budget: float = 0.0025
    """Share of the level the memory may grow over the length of the run (design: 0.25 %)."""
    min_relative_budget_bytes: float = 0.0
    """Bytes; the relative budget is never smaller over the run; 0 leaves it at its share. For short runs of
    a server well below 400 MiB that takes memory in large steps, such as CPython's arenas of 1 MiB."""
    grain_bytes: float = 4096.0
    """Bytes; what readings are rounded to: memory is counted in pages."""
    in_steps: bool = False
    """Whether readings are in order of steps, such as requests, and know no seconds."""

    restart_drop: float = 0.25
    """Share of the level RSS must lose within one step to be looked at as a restart. A malloc_trim was
    seen to return 22 % (catalogue 7.4)."""
    restart_near_start: float = 0.5
    """A fresh process keeps less than this share of what the life before gained since its start."""
    restart_bare_share: float = 0.3
    """A fall by this share of the level is a restart even without a gap or a counter that fell."""
    max_restarts: int = 30
    """More falls than this in one series are a saw-tooth, not restarts."""
    short_life_share: float = 0.5
    """A last life shorter than this share of another leaves the word to that one."""
    restart_gap_intervals: float = 5.0
    """Sampling intervals without a reading that count as a gap, in which a process may have been replaced."""

    def differing_from(self, other: Self) -> dict[str, Any]:
        """Return the settings that are not as in `other`, by name."""
        theirs = asdict(other)
        return {name: value for name, value in asdict(self).items() if value != theirs[name]}

    def __post_init__(self) -> None:
        """Check the ranges."""
        growth = self.max_growth_bytes_per_hour
        if growth is not None and not 0 < growth < float("inf"):
            raise ValueError(f"the growth budget must be above 0 bytes per hour, not {growth:g}")
        if not 0.5 < self.confidence < 1:
            raise ValueError(f"the confidence must be above 0.5 and below 1, not {self.confidence:g}")
        for name in ("relative_budget", "restart_drop"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must be between 0 and 1, not {getattr(self, name):g}")
        if not self.grain_bytes > 0:
            raise ValueError(f"grain_bytes must be above 0, not {self.grain_bytes:g}")

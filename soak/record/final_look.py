"""How a run until decided was last looked at, so that it can be judged the same way again."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from soak.quantity import format_bytes, format_count, format_duration
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from soak.record.reader import Run
    from soak.verdict.verdict import Verdict

EVENT = "final_look"
HALF_A_STAMP_S = 0.0005
"""Times are recorded to the millisecond."""


@dataclass(frozen=True)
class FinalLook:
    """The look a run until decided ended on; recorded as the event `final_look`."""

    verdict: Label
    """What it said, on the record as it was then."""
    up_to_s: float
    """The newest sample it saw. What was sampled later, while the block in progress was finished, is not
    judged."""
    stopped_early: bool
    """Whether the run ended because of it, and not because it was over anyway."""
    looks: int
    """Looks that could have decided something, this one included."""
    duration_s: float | None
    """The longest the run could have lasted; None where only connections limited it."""
    connections: int | None
    """The most connections it could have made; None where only time limited it."""
    judge: dict[str, Any]
    """The judge's settings at this look, where they differ from the configured ones: its share of the error,
    and the budget of the longest run."""

    @classmethod
    def of(cls, run: Run) -> Self | None:
        """Return the look `run` ended on; None for a run of planned length, or one cut off before."""
        event = run.last_event(EVENT)
        if event is None:
            return None
        values = {field.name: event[field.name] for field in dataclasses.fields(cls)}
        return cls(**{**values, "verdict": Label(event["verdict"])})

    def details(self) -> dict[str, Any]:
        """Return what the event holds."""
        return dataclasses.asdict(self) | {"verdict": str(self.verdict)}

    def seen(self, run: Run) -> Run:
        """Return `run` with the samples this look saw."""
        samples = run.samples
        seen = samples[~(samples["t_s"] > self.up_to_s + HALF_A_STAMP_S)]
        return dataclasses.replace(run, samples=seen.reset_index(drop=True))

    def in_words(self, verdict: Verdict) -> str:
        """Return why the run ended when it did, and what its `verdict` therefore does not say."""
        if not self.stopped_early:
            return f"The run was to stop once it was decided; it went on to its end, {self._longest()}."
        because = (
            f"The run stopped early, after {format_duration(self.up_to_s)} of {self._longest()}, because "
            f"{self.verdict} stood at look after look ({self.looks} in all, sharing one chance of error)."
        )
        if verdict.verdict is not Label.PLATEAU:
            return because
        per_hour = verdict.budget_bytes_per_hour
        excluded = f"{format_bytes(per_hour)} per hour"
        points = verdict.points
        if points is not None and points.connections is not None and self.up_to_s > 0:
            per_second = float(points.connections[-1]) / self.up_to_s
            if per_second > 0:
                excluded += f", or {format_bytes(per_hour / 3600.0 / per_second)} per connection"
        return (
            f"{because} A leak of {excluded} is excluded, as small a one as the longest run was to "
            "exclude; a smaller one, or one that begins later, is not."
        )

    def _longest(self) -> str:
        limits = [] if self.duration_s is None else [format_duration(self.duration_s)]
        if self.connections is not None:
            limits.append(f"{format_count(self.connections)} connections")
        return f"at most {' or '.join(limits)}" if self.stopped_early else " or ".join(limits)

"""What one rule said of one trace, and what was measured beside it."""

from __future__ import annotations

from dataclasses import dataclass

from soak.verdict.verdict import Label


@dataclass(frozen=True)
class Arrival:
    """When a rule first says the right thing for good."""

    share: float | None
    """Share of the trace; None if the rule is not right at the end."""
    connections: float | None
    """Connections completed by then; None when never right or not counted."""


@dataclass(frozen=True)
class Held:
    """One stated two-sided 95 % interval and the truth."""

    unit: str
    """"hour", "connection" or "audio second"."""
    leaking: bool
    """Of the trace."""
    inside: bool
    """Whether the interval holds the truth."""


@dataclass(frozen=True)
class Half:
    """What is said of the first half of the trace."""

    label: Label
    probability: float | None
    """That it climbs; None where the rule states none."""


@dataclass(frozen=True)
class Answer:
    """What one rule said of one trace."""

    rule: str
    """Name of the rule."""
    trace: str
    """Name of the trace."""
    family: str
    """The trace's family."""
    leaking: bool
    """The truth."""
    signal_to_noise: float | None
    """Of the leak; None for a healthy trace."""
    label: Label
    """What the rule says of the whole trace."""
    cpu_s: float
    """CPU seconds for the whole trace."""
    probability: float | None = None
    """That it climbs; None where the rule states none."""
    contradictions: tuple[str, ...] | None = None
    """What of the answer's numbers contradicts its label; None where the rule states no numbers."""
    held: tuple[Held, ...] = ()
    """The intervals the rule stated beside a known truth."""
    half: Half | None = None
    """None where the first half is no fair question, such as of a leak that begins later."""
    arrival: Arrival | None = None
    """None when time was not measured."""
    group: str | None = None
    """The server that made a recorded trace."""

    @property
    def right(self) -> bool:
        """Whether the answer is the truth."""
        return self.label is right_label(leaking=self.leaking)

    @property
    def wrong(self) -> bool:
        """Whether the answer is decided, and not the truth."""
        return self.label is right_label(leaking=not self.leaking)


def right_label(*, leaking: bool) -> Label:
    """Give what should be said."""
    return Label.CLIMBING if leaking else Label.PLATEAU

"""When a source is read. The schedule asks at every instant at which a sample is due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

DEFAULT_SHARE = 0.001
"""Share of the time that costly readings may take: a thousandth cannot be told from none."""


@dataclass(frozen=True)
class EverySample:
    """At every sample, which waits for it: for what costs next to nothing."""

    def __str__(self) -> str:
        """Say it in words."""
        return "every sample"


@dataclass(frozen=True)
class InQuietWindows:
    """While nobody is connected, as often as its budget allows: readings of quiet windows are comparable.

    A reading that took `c` seconds is followed by none for `c / share` seconds. Where no quiet window comes
    for a minute, it is read under load.
    """

    at_least_every_s: float = 10.0
    """Shortest time between two readings."""
    share: float = DEFAULT_SHARE
    """Share of the time that they may take."""

    def __str__(self) -> str:
        """Say it in words."""
        return f"in quiet windows, every {self.at_least_every_s:g} s at most"


@dataclass(frozen=True)
class OnceInEveryQuietWindow:
    """When a quiet window begins, once, within its budget: one comparable reading for each block of load.

    Where no quiet window comes for five minutes, it is read under load.
    """

    share: float = 0.01
    """Share of the time that the readings may take."""

    def __str__(self) -> str:
        """Say it in words."""
        return "once in every quiet window"


@dataclass(frozen=True)
class Every:
    """At a fixed interval, whatever goes on; not more often than samples are taken."""

    interval_s: float
    """Between two readings, in seconds."""

    def __str__(self) -> str:
        """Say it in words."""
        return f"every {self.interval_s:g} s"


Cadence: TypeAlias = "EverySample | InQuietWindows | OnceInEveryQuietWindow | Every"

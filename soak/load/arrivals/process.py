"""What every kind of arrivals is: a rate, and a process for each block of load."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from soak.plugins import Part


@dataclass(frozen=True)
class Intensity:
    """How much is asked of the server, whatever the kind of arrivals."""

    rate_per_s: float | None
    """Connections per second that the plan asks for; None where it does not say."""
    max_rate_per_s: float
    """Upper bound of a rate that is measured."""
    group: int
    """Connections that arrive together."""
    max_open: int
    """Most connections open at once."""


class ArrivalProcess(ABC):
    """The arrivals of one block of load, or of the calibration. Times are in seconds on one clock."""

    arrivals_delayed: int = 0
    """Connections that were due and had to wait for room, each counted once."""

    @abstractmethod
    def arrivals(self, now_s: float, room: int) -> int:
        """Return how many connections to start now; `room` is how many more may be open."""

    @abstractmethod
    def wait_s(self, now_s: float) -> float | None:
        """Return the time until it wants to be asked again; None: when a connection has ended."""

    def pause_s(self, failures_in_a_row: int) -> float:  # noqa: ARG002
        """Return how long a connection that has ended keeps its place, so that no other takes it."""
        return 0.0


@dataclass(frozen=True)
class Arrivals(Part):
    """A kind of arrivals; the fields of a subclass are its options."""

    def check(self, intensity: Intensity) -> None:
        """Refuse an intensity that cannot be had; raises `OptionError`."""

    @abstractmethod
    def planned_rate_per_s(self, intensity: Intensity) -> float | None:
        """Return the mean rate that is known beforehand; None where the throughput is measured first."""

    @abstractmethod
    def measured_rate_per_s(self, intensity: Intensity, throughput_per_s: float) -> float | None:
        """Return the mean rate for a server of that throughput; None where the server sets the rate."""

    @abstractmethod
    def begin(self, intensity: Intensity, rate_per_s: float, start_s: float) -> ArrivalProcess:
        """Begin a block at `start_s`, at that mean rate or, where the server sets it, that throughput."""

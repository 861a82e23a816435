"""A closed loop: so many clients, each of which starts over as soon as it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from soak.load.arrivals.process import ArrivalProcess, Arrivals

if TYPE_CHECKING:
    from soak.load.arrivals.process import Intensity

_FIRST_RETRY_S = 0.1
_LONGEST_RETRY_S = 2.0


@dataclass(frozen=True)
class ClosedLoop(Arrivals):
    """`max_open` clients; the server's own speed sets the rate."""

    name: ClassVar[str] = "closed"

    def planned_rate_per_s(self, intensity: Intensity) -> float | None:  # noqa: ARG002
        """See `Arrivals`."""
        return None

    def measured_rate_per_s(self, intensity: Intensity, throughput_per_s: float) -> float | None:  # noqa: ARG002
        """See `Arrivals`."""
        return None

    def begin(self, intensity: Intensity, rate_per_s: float, start_s: float) -> BusyClients:  # noqa: ARG002
        """See `Arrivals`."""
        return BusyClients()


class BusyClients(ArrivalProcess):
    """Clients of which each place is always taken."""

    def arrivals(self, now_s: float, room: int) -> int:  # noqa: ARG002
        """Return `room`."""
        return room

    def wait_s(self, now_s: float) -> float | None:  # noqa: ARG002
        """Return None: nothing is to be done before a connection ends."""
        return None

    def pause_s(self, failures_in_a_row: int) -> float:
        """Return the pause of a client after failures, or a dead server would be hammered."""
        return retry_delay_s(failures_in_a_row)


def retry_delay_s(failures_in_a_row: int) -> float:
    """Return how long a client waits after a failure, so that a dead server costs no CPU.

    0 without a failure, then 0.1 s doubling to 2 s.
    """
    if failures_in_a_row == 0:
        return 0.0
    return min(_LONGEST_RETRY_S, _FIRST_RETRY_S * 2.0 ** min(failures_in_a_row - 1, 10))

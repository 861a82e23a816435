"""What is judged: memory, heap in use, and what is counted, each with its unit."""

from __future__ import annotations

from enum import StrEnum


class Unit(StrEnum):
    """The unit of a quantity."""

    BYTES = "bytes"
    COUNT = "count"

    @property
    def zero_is_a_gap(self) -> bool:
        """Whether a reading of zero is one that failed: the kernel reports it for a dead process."""
        return self is Unit.BYTES

    @property
    def tells_restarts(self) -> bool:
        """Whether a fall may mean that the process began anew: counts fall with the load."""
        return self is Unit.BYTES


class Quantity(StrEnum):
    """What a series measures; of what is counted, the value is the column of `samples.csv`."""

    MEMORY = "memory"
    """Resident memory, with swap where any was used."""
    HEAP = "heap_in_use"
    """Heap in use: what the allocator has handed out and not got back."""
    DESCRIPTORS = "fds"
    THREADS = "threads"
    SOCKETS = "sockets"
    SESSIONS = "server_sessions_alive"
    """Sessions that the server says it keeps; in a quiet window there should be none."""

    @property
    def unit(self) -> Unit:
        """The unit it is measured in."""
        return Unit.BYTES if self in (Quantity.MEMORY, Quantity.HEAP) else Unit.COUNT


JUDGED_COUNTS = (Quantity.DESCRIPTORS, Quantity.THREADS, Quantity.SOCKETS, Quantity.SESSIONS)
"""The counts that are judged beside memory, in the order they are told."""

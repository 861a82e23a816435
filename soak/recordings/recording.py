"""What a format makes of a file: named series of memory, with what must be known of how they were read."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from soak.plugins import Part

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from soak.recordings.asked import Asked


class UnreadableError(ValueError):
    """A file that cannot be read as its format; the message is one line that says what to do."""


class Axis(Enum):
    """What readings are in order of."""

    TIME = "time"
    """Seconds."""
    STEPS = "steps"
    """A count of requests, cycles, calls: nothing is known of seconds."""


@dataclass(frozen=True, eq=False)
class Reading:
    """One series of memory. Arrays are one-dimensional, of one length, NaN where there was no reading."""

    along: NDArray[np.float64]
    """Seconds since the first reading, or steps; never falling."""
    memory_bytes: NDArray[np.float64]
    axis: Axis = Axis.TIME
    name: str = ""
    """Which process, container or column; empty where the file holds one series."""
    step: str = "reading"
    """What one step is called; without meaning on an axis of time."""
    open_connections: NDArray[np.float64] | None = None
    connections_completed: NDArray[np.float64] | None = None
    grain_bytes: float = 0.0
    """How finely memory was read: what is written as ``3.7g`` is known to 0.1 GiB."""
    unit: str = ""
    """Unit in which memory was written."""
    notes: tuple[str, ...] = ()
    """What was supposed in reading it, and what looks wrong; a sentence each."""


@dataclass(frozen=True)
class Recording:
    """What one file holds."""

    readings: tuple[Reading, ...]


@dataclass(frozen=True)
class RecordingFormat(Part):
    """One way in which memory is written down. Other packages add theirs by the group `soak.recordings`."""

    label: ClassVar[str]
    """For people, behind "read as": ``psrecord's log``."""
    example: ClassVar[str]
    """A small file of this format; the documentation shows it, the tests read it."""

    @abstractmethod
    def recognise(self, head: str) -> float | None:
        """Say from the first 64 KiB of text how surely it is this format, in (0, 1]; None for no."""

    @abstractmethod
    def read(self, text: str, asked: Asked) -> Recording:
        """Read a whole file. Raises `UnreadableError`."""

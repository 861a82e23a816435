"""What every detector takes and gives: samples in, starts and ends of segments out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class SegmentStarted:
    """Speech began at `start_ms` after the start of the utterance."""

    start_ms: int


@dataclass(frozen=True)
class SegmentEnded:
    """The segment ended at `end_ms` after the start of the utterance."""

    end_ms: int


VadEvent = SegmentStarted | SegmentEnded


class VadStream(Protocol):
    """The detector's state for one connection, used by one thread at a time."""

    def reset(self) -> None:
        """Forget everything: a new utterance begins at 0 ms."""

    def accept(self, samples: NDArray[np.float32], *, is_final: bool = False) -> list[VadEvent]:
        """Take mono samples in [-1, 1), any number of them; give the events that they settle, in order.

        Starts and ends alternate. `is_final` ends an open segment and leaves the stream as `reset` does.
        """


class VadModel(Protocol):
    """What all connections share."""

    @property
    def look_back_ms(self) -> int:
        """How far before the newest sample a segment may be said to have started."""

    def new_stream(self) -> VadStream:
        """Make the state of one connection."""

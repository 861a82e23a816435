"""How much an arena of ONNX Runtime holds, which its Python interface tells only when it refuses memory.

There is no call for it: allocator statistics are not bound (1.32), and a session's profile has them, but
takes note of every operator from loading on and can be read once. What can be had at any moment is a
refusal. Asked for more than its limit leaves, an arena says how much that is ("Available memory of
18446744073705298432 is smaller than requested bytes of …"). The limit is the whole address space, so the rest
of it is what the arena holds. The refusal comes before anything is changed (`BFCArena::Extend`) and takes
some 60 µs. What of it is in use is not told; shrinking the arena gives an upper bound.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Self

import numpy as np

if TYPE_CHECKING:
    import onnxruntime as ort

LIMIT_BYTES: Final = 2**64 - 1
"""Of an arena that was given none."""
ROUNDED_TO_BYTES: Final = 256
"""Arenas give memory out in multiples of this, and count what is left in them."""
FOOTHOLD_BYTES: Final = 1024
"""A block that stays in the arena. One that held less than 512 bytes would not refuse the request below but
try to meet it, and be of no more use; none does with this in it."""
REQUESTED_DOUBLES: Final = 2**61 - 64
"""512 bytes short of the limit: more would overflow before the arena sees it."""
MOST_BYTES: Final = 2**48
"""More than a process can map: an answer above it is not understood."""
REFUSAL: Final = re.compile(r"Available memory of (\d+) is smaller than requested bytes")


class ArenaGauge:
    """Reads one session's arena. From any thread, also while others run the session."""

    def __init__(self, session: ort.InferenceSession) -> None:
        """Put the foothold into the arena of `session`; raises AttributeError where there is no such call."""
        self._allocate = session.create_ortvalue_from_shape_and_type
        self._foothold = self._allocate([FOOTHOLD_BYTES], np.uint8, "cpu")

    @classmethod
    def of(cls, session: ort.InferenceSession) -> Self | None:
        """Return the gauge of a session that has an arena; None where this ONNX Runtime has no way to ask."""
        try:
            return cls(session)
        except AttributeError:
            return None

    def held_bytes(self) -> int | None:
        """Say what the arena has from malloc, in use or free, to 256 bytes; None if the answer is unknown."""
        try:
            self._allocate([REQUESTED_DOUBLES], np.float64, "cpu")
        except (RuntimeError, MemoryError) as error:
            return read_refusal(str(error))
        return None


def read_refusal(message: str) -> int | None:
    """Read from an arena's refusal what it holds; None from any other text."""
    found = REFUSAL.search(message)
    if found is None:
        return None
    held_bytes = LIMIT_BYTES - int(found[1])  # up to 255 too many: what is left is rounded down
    held_bytes -= held_bytes % ROUNDED_TO_BYTES
    return held_bytes if 0 <= held_bytes < MOST_BYTES else None

"""How many streams at once a server keeps up with: a search by bisection."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

STEP = 1.2
"""Between two numbers of streams that are tried until one is kept up with and one is not."""


def most_streams(keeps_up: Callable[[int], bool], guess: int, *, tolerance: float) -> int:
    """Find the largest number of streams for which `keeps_up`; 0 if there is none.

    The search begins at `guess` and ends when the next number that might do is at most `tolerance` (a share)
    larger, or 1.
    """
    most, too_many = 0, None
    streams = max(1, guess)
    while streams > 0 and (too_many is None or too_many - most > max(1, int(tolerance * most))):
        if keeps_up(streams):
            most = streams
        else:
            too_many = streams
        if too_many is None:
            streams = max(most + 1, round(most * STEP))
        elif most == 0:
            streams = min(too_many - 1, round(too_many / STEP))
        else:
            streams = (most + too_many) // 2
    return most

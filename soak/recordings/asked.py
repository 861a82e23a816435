"""What a user says of a file where it cannot be seen in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Asked:
    """The options of a verb that reads recordings; None is left to the file."""

    time: str | None = None
    """Column that holds the time, or the count of steps: its name, or its number from 1."""
    memory: str | None = None
    """Column that holds the memory: its name, or its number from 1."""
    unit: str | None = None
    """Unit of memory where the file writes none: a key of `soak.recordings.amounts.UNITS`."""
    every_s: float | None = None
    """Seconds from one reading, or one step, to the next."""
    per: str | None = None
    """What one step is called: `iteration`, `request`, …"""

    @property
    def is_anything(self) -> bool:
        """Whether something was said."""
        return self != Asked()

"""Where a recording comes from that is not soak's own: how it was read, and what must be known of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """How a file of somebody else was read."""

    read_as: str
    """In a line: ``psrecord's log; memory in MB; 72 readings over 1 min``."""
    series: str = ""
    """Which of the file's series; empty where it holds one."""
    step: str | None = None
    """What one step is called where readings are in order of steps, `soak.quantity.STEP_S` seconds each; None
    on an axis of time."""
    grain_bytes: float = 0.0
    """How finely memory was read."""
    falls_are_releases: bool = False
    """Whether every large fall comes as clients leave: then it is no restart."""
    warnings: tuple[str, ...] = ()
    """What was supposed, and what looks wrong, a sentence each."""
